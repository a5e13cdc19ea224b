"""The scoring version of each standing, which was the evaluation's alone before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_from_evaluation(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Evaluation = apps.get_model("evaluations", "Evaluation")
    versions = Evaluation.objects.filter(pk=OuterRef("evaluation")).values("scoring_version")
    apps.get_model("leaderboards", "Standing").objects.update(scoring_version=Subquery(versions))


class Migration(migrations.Migration):

    dependencies = [
        ("challenges", "0002_initial"),
        ("evaluations", "0002_eligible"),
        ("leaderboards", "0002_among_eligible"),
    ]

    operations = [
        migrations.AddField(
            model_name="standing",
            name="scoring_version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="challenges.scoringversion",
            ),
        ),
        migrations.RunPython(take_from_evaluation, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="standing",
            name="scoring_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="challenges.scoringversion",
            ),
        ),
        migrations.AddIndex(
            model_name="standing",
            index=models.Index(
                fields=["phase", "scoring_version", "submitted_at", "id", "among_eligible", "evaluation"],
                name="standing_of_a_board",
            ),
        ),
    ]
