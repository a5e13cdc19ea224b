"""The origin of each submission. Which of the earlier ones were trials nobody can know: they stay participants'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ORIGINS = [
    ("participant", "participant"),
    ("baseline", "baseline"),
    ("trial", "trial"),
    ("import", "import"),
    ("on-behalf", "on behalf of the team"),
]


def take_origin(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("submissions", "Submission").objects.filter(entry__team__kind="baseline").update(origin="baseline")


class Migration(migrations.Migration):

    dependencies = [("submissions", "0002_declared_counts"), ("teams", "0002_kind")]

    operations = [
        migrations.AddField(
            model_name="submission",
            name="origin",
            field=models.CharField(choices=ORIGINS, default="participant", editable=False, max_length=12),
            preserve_default=False,
        ),
        migrations.RunPython(take_origin, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", [origin for origin, _ in ORIGINS])), name="submission_origin_known"
            ),
        ),
    ]
