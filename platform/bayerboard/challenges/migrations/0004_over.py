from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("challenges", "0003_time_limit")]

    operations = [
        migrations.AddField("phase", "over_at", models.DateTimeField(editable=False, null=True)),
        # The standings that are there were chosen by unrounded values: the next round of beat chooses them anew where
        # a reference is hidden.
        migrations.AddField(
            "phase",
            "compared",
            models.CharField(
                choices=[("shown", "as shown"), ("exact", "unrounded")], default="exact", editable=False, max_length=10
            ),
        ),
        migrations.AlterField(
            "phase",
            "compared",
            models.CharField(
                choices=[("shown", "as shown"), ("exact", "unrounded")], default="shown", editable=False, max_length=10
            ),
        ),
    ]
