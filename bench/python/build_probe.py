"""Builds the package with the probe inside its extension, by the package's own recipe and one file more."""

import sys

import setuptools  # noqa: F401  (it brings the commands of the recipe)
from distutils.core import run_setup

target = sys.argv[1]
distribution = run_setup("setup.py", stop_after="init")
distribution.parse_config_files()
(extension,) = distribution.ext_modules
extension.sources.append("bench/python/probe.c")
build = distribution.get_command_obj("build")
build.build_base, build.build_lib = f"{target}-objects", target
distribution.get_command_obj("egg_info").egg_base = f"{target}-objects"
distribution.run_command("build")
