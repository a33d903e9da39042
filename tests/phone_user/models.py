"""Somebody who is known by a phone number, and has no e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class CallerManager(BaseUserManager["Caller"]):
    def create_user(self, phone: str, password: str | None = None, **fields: Any) -> "Caller":
        caller = self.model(phone=phone, **fields)
        caller.set_password(password)
        caller.save()
        return caller


class Caller(AbstractBaseUser, PermissionsMixin):
    phone = models.CharField(max_length=20, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    objects = CallerManager()
    USERNAME_FIELD = "phone"
    REQUIRED_FIELDS: ClassVar = []

    def __str__(self) -> str:
        return str(self.pk)
