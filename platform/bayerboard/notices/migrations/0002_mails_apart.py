"""The mails of notices move into the table of mails; those that wait are carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import migrations
from django.db.models import OuterRef, Subquery

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 1000
KIND, PRIORITY = "notice", 50
# One that was claimed may have gone out: it comes at most once.
STATES = {"pending": "pending", "sending": "failed"}


def carry_over(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make a mail of each notice whose own has not gone out, to the address that is confirmed now."""
    address_model: Any = apps.get_model("account", "EmailAddress")
    mail_model: Any = apps.get_model("mails", "Mail")
    notice_model: Any = apps.get_model("notices", "Notice")
    confirmed = address_model.objects.filter(user=OuterRef("user"), primary=True, verified=True).values("email")
    waiting = (
        notice_model.objects.filter(mail__in=STATES)
        .annotate(address=Subquery(confirmed[:1]))
        # Without one, no mail would have gone out.
        .exclude(address=None)
        .order_by("pk")
    )
    mails: list[Any] = []
    for notice in waiting.iterator(BATCH):
        mails.append(
            mail_model(
                kind=KIND,
                priority=PRIORITY,
                user_id=notice.user_id,
                address=notice.address.lower(),
                about=notice.pk,
                state=STATES[notice.mail],
                attempts=notice.mail_attempts,
                due_at=notice.mail_due_at,
                created_at=notice.created_at,
            )
        )
        if len(mails) == BATCH:
            mail_model.objects.bulk_create(mails)
            mails.clear()
    mail_model.objects.bulk_create(mails)


def carry_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Note on the notices which mails wait."""
    notice_model: Any = apps.get_model("notices", "Notice")
    mail_model: Any = apps.get_model("mails", "Mail")
    mails = mail_model.objects.filter(kind=KIND)
    for mail in mails.filter(state="pending").iterator(BATCH):
        notice_model.objects.filter(pk=mail.about).update(
            mail="pending", mail_attempts=mail.attempts, mail_due_at=mail.due_at
        )
    mails.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0001_initial"),
        ("mails", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(carry_over, carry_back),
        migrations.RemoveIndex(model_name="notice", name="notice_outbox"),
        migrations.RemoveField(model_name="notice", name="mail"),
        migrations.RemoveField(model_name="notice", name="mail_attempts"),
        migrations.RemoveField(model_name="notice", name="mail_due_at"),
    ]
