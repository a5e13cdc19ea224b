from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def organisers_to_grants(apps: Any, schema_editor: Any) -> None:
    """Make the earliest organiser of each challenge its owner, and the others organisers."""
    grants = apps.get_model("challenges", "RoleGrant")
    through = apps.get_model("challenges", "Challenge").organisers.through
    owned = set()
    rows = []
    for challenge, user in through.objects.order_by("pk").values_list("challenge_id", "user_id"):
        role = "organiser" if challenge in owned else "owner"
        owned.add(challenge)
        rows.append(grants(challenge_id=challenge, user_id=user, role=role))
    grants.objects.bulk_create(rows)


def grants_to_organisers(apps: Any, schema_editor: Any) -> None:
    """Make everybody with a role that may change something an organiser again."""
    through = apps.get_model("challenges", "Challenge").organisers.through
    grants = apps.get_model("challenges", "RoleGrant").objects.exclude(role="viewer").order_by("pk")
    through.objects.bulk_create(
        through(challenge_id=grant.challenge_id, user_id=grant.user_id) for grant in grants
    )


class Migration(migrations.Migration):
    dependencies = [
        ("challenges", "0004_over"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "owner"), ("organiser", "organiser"), ("viewer", "viewer")], max_length=10
                    ),
                ),
                ("granted_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="challenges.challenge"
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("challenge", "pk")},
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.UniqueConstraint(fields=("challenge", "user"), name="one_role_per_challenge"),
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("actor", models.CharField(max_length=150)),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("changed", "changed"),
                            ("deleted", "deleted"),
                            ("role-given", "gave a role"),
                            ("role-taken", "took a role"),
                            ("rescore-planned", "planned a rescore"),
                            ("rescore-published", "published a rescore"),
                            ("disqualified", "disqualified"),
                            ("requalified", "took back a disqualification"),
                            ("baseline-started", "started a baseline"),
                            ("trial-deleted", "deleted a trial"),
                        ],
                        max_length=20,
                    ),
                ),
                ("subject", models.CharField(max_length=200)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("reason", models.CharField(blank=True, max_length=300)),
                (
                    "challenge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="audit_entries",
                        to="challenges.challenge",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("-pk",), "verbose_name_plural": "audit entries"},
        ),
        migrations.AddIndex(
            model_name="auditentry", index=models.Index(fields=["challenge", "id"], name="audit_of_a_challenge")
        ),
        migrations.RunPython(organisers_to_grants, grants_to_organisers),
        migrations.RemoveField(model_name="challenge", name="organisers"),
        migrations.AlterField(
            model_name="phase",
            name="quota_per_day",
            field=models.PositiveIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AlterField(
            model_name="phase",
            name="quota_total",
            field=models.PositiveIntegerField(default=100, validators=[django.core.validators.MinValueValidator(1)]),
        ),
    ]
