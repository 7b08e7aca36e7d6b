"""Contacts of a shop in Django: python examples/django_app/manage.py runserver.

It works on Privy if PRIVY_API_TOKEN is set, otherwise on a sandbox inside the process.
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    execute_from_command_line(sys.argv)
