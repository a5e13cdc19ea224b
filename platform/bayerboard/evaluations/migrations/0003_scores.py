"""The scores of each evaluation as rows that an index finds, and the declared operands of its formulas.

Before, the scores were in the JSON of `metrics` alone, and the operands in the first revision of the fact sheet, which
is the archive's own.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import django.db.models.deletion
from django.db import migrations, models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Few enough for the memory of a small machine, and many enough that 100,000 evaluations take seconds.
AT_ONCE = 5000


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Evaluation = apps.get_model("evaluations", "Evaluation")
    Score = apps.get_model("evaluations", "Score")
    # By key and not in one long query: SQLite would see the connection write while it reads.
    last = 0
    while found := list(
        Evaluation.objects.filter(pk__gt=last)
        .order_by("pk")
        .values_list("pk", "scoring_version_id", "metrics")[:AT_ONCE]
    ):
        Score.objects.bulk_create(Score(**fields) for row in found for fields in scores(*row))
        last = found[-1][0]


def keep_operands(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    Evaluation = apps.get_model("evaluations", "Evaluation")
    sheets = apps.get_model("submissions", "FactSheetRevision").objects.order_by("-pk")
    for version in apps.get_model("challenges", "ScoringVersion").objects.all():
        formulas = {c["key"]: c["formula"] for c in version.protocol_data["columns"] if c.get("formula")}
        evaluations = Evaluation.objects.filter(scoring_version=version).order_by("pk").only("submission", "metrics")
        last = 0
        while formulas and (found := list(evaluations.filter(pk__gt=last)[:AT_ONCE])):
            # The first revision comes last, and stays.
            theirs = sheets.filter(submission__in=[evaluation.submission_id for evaluation in found])
            first = {sheet.submission_id: sheet for sheet in theirs}
            for evaluation in found:
                used = [text for key, text in formulas.items() if key in evaluation.metrics]
                evaluation.operands = operands(" ".join(used), first.get(evaluation.submission_id))
            Evaluation.objects.bulk_update(found, ["operands"], batch_size=500)
            last = found[-1].pk


def operands(formulas: str, sheet: Any) -> dict[str, float]:
    if sheet is None:
        return {}
    declared = {"runtime_s": sheet.runtime_s, "parameters": sheet.parameters, "macs": sheet.macs}
    if sheet.runtime_s is not None:
        declared["runtime_ms"] = sheet.runtime_s * 1000
    names = set(re.findall(r"[a-z_][a-z0-9_]*", formulas))
    return {name: value for name, value in declared.items() if value is not None and name in names}


def scores(evaluation: int, version: int, metrics: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in metrics.items():
        if isinstance(value, int | float):
            finite = math.isfinite(value)
            yield {
                "evaluation_id": evaluation,
                "scoring_version_id": version,
                "key": key,
                "value": value if finite else None,
                "text": "" if finite else str(value),
            }


class Migration(migrations.Migration):

    dependencies = [
        ("challenges", "0003_time_limit"),
        ("evaluations", "0002_eligible"),
        ("submissions", "0002_declared_counts"),
    ]

    operations = [
        migrations.AddField(
            model_name="evaluation",
            name="operands",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=40)),
                ("value", models.FloatField(null=True)),
                ("text", models.CharField(blank=True, max_length=4)),
                (
                    "evaluation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores",
                        to="evaluations.evaluation",
                    ),
                ),
                (
                    "scoring_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="challenges.scoringversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["scoring_version", "key", "value", "evaluation"], name="score_in_order")
                ],
                "constraints": [models.UniqueConstraint(fields=("evaluation", "key"), name="score_unique")],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(keep_operands, migrations.RunPython.noop),
    ]
