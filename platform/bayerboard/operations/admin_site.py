"""The operators' admin site: superusers alone, through the same sign-in door as everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest, HttpResponse

    from bayerboard.accounts.models import User


class OperatorsAdmin(AdminSite):
    """Django's admin for the people who run the site; organisers have their own pages and commands."""

    site_header = "Bayerboard administration"
    site_title = "Bayerboard"
    # The index, one click away, lists the same; beside it a table of submissions does not fit on a laptop's screen.
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        user: User | AnonymousUser = request.user
        return user.is_active and user.is_superuser

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send strangers to the site's own sign-in page, whose tries are limited; for others there is nothing here."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise Http404("There is no such page.")
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('account_login')}?{urlencode({'next': wanted})}")


class OperatorsAdminConfig(AdminConfig):
    """Django's admin app, with our site."""

    default_site = "bayerboard.operations.admin_site.OperatorsAdmin"
