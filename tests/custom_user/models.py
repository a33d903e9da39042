"""A person, known by an address that they need not have."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, mail: str | None = None, password: str | None = None, **fields: Any) -> "Person":
        person = self.model(mail=mail, **fields)
        person.set_password(password)
        person.save()
        return person

    def create_superuser(self, mail: str, password: str | None = None, **fields: Any) -> "Person":
        return self.create_user(mail, password, is_staff=True, is_superuser=True, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    mail = models.EmailField(unique=True, null=True, blank=True)
    full_name = models.CharField(max_length=100, blank=True)
    cognito_sub = models.CharField(max_length=100, unique=True, null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = PersonManager()
    USERNAME_FIELD = "mail"
    EMAIL_FIELD = "mail"
    REQUIRED_FIELDS: ClassVar = []

    def __str__(self) -> str:
        return str(self.pk)
