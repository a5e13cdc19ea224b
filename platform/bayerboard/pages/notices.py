"""One's notices, the bell in the header, and whether they come by e-mail too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from bayerboard.lib.pages import page_number
from bayerboard.notices.models import Notice
from bayerboard.pages.notice_form import NoticeSettingsForm

if TYPE_CHECKING:
    from django.http import HttpRequest

NOTICES_PER_PAGE = 30
# htmx's own: take this, and ask no more.
STOP_POLLING = 286


@login_required
@require_GET
def notice_list(request: HttpRequest) -> HttpResponse:
    """Render notices/list.html: `page` of the user's notices. What it shows counts as seen from then on."""
    assert request.user.is_authenticated
    notices = Notice.objects.of(request.user).with_results()
    page = Paginator(notices, NOTICES_PER_PAGE).get_page(page_number(request))
    shown = [notice.pk for notice in page.object_list]
    Notice.objects.of(request.user).filter(pk__in=shown).mark_read()
    return render(request, "notices/list.html", {"page": page, "sends_mail": bool(settings.EMAIL_HOST)})


@require_GET
def bell(request: HttpRequest) -> HttpResponse:
    """Render notices/_bell.html, which replaces itself; nothing, for good, for who has signed out meanwhile."""
    if not request.user.is_authenticated:
        return HttpResponse(status=STOP_POLLING)
    return render(request, "notices/_bell.html")


@login_required
@require_http_methods(["GET", "POST"])
def notice_settings(request: HttpRequest) -> HttpResponse:
    """Render account/notices.html: `form`."""
    assert request.user.is_authenticated
    form = NoticeSettingsForm(request.POST if request.method == "POST" else None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("notice-settings")
    return render(request, "account/notices.html", {"form": form})
