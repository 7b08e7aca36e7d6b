import views
from django.urls import path

urlpatterns = [
    path("subscribe", views.subscribe),
    path("contacts", views.contacts),
    path("contacts/<id>", views.contact),
]
