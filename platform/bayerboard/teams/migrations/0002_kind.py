"""The kind of a team in place of "is a baseline": there are teams of the organisers' trials too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_kind(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    teams: Any = apps.get_model("teams", "Team").objects
    teams.filter(is_baseline=True).update(kind="baseline")


def take_is_baseline(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    teams: Any = apps.get_model("teams", "Team").objects
    teams.filter(kind="baseline").update(is_baseline=True)


class Migration(migrations.Migration):

    dependencies = [("challenges", "0002_initial"), ("teams", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="team",
            name="kind",
            field=models.CharField(
                choices=[("people", "people"), ("baseline", "baseline"), ("organisers", "organisers")],
                default="people",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.RunPython(take_kind, take_is_baseline),
        migrations.RemoveField(model_name="team", name="is_baseline"),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "organisers")), fields=("challenge",), name="team_of_organisers"
            ),
        ),
    ]
