"""Metrics for Prometheus, all from the database, so that any web process gives the same answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Min, Sum
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

import scoring
from bayerboard.evaluations.models import EVALUATIONS, Evaluation, Status
from bayerboard.lib.jobs import job_kinds
from bayerboard.lib.leases import QUEUED, RUNNING, LeasedJobQuerySet
from bayerboard.mails.models import Mail, State
from bayerboard.operations.models import BEAT, EXPIRED_LEASES, Counts, Heartbeat, Tally
from bayerboard.operations.tallies import QUEUED_BUCKETS_S, RUNNING_BUCKETS_S, totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

# A queue that is longer is shown as this long: enough to raise any alarm, and a bound on what a question costs.
COUNT_AT_MOST = 10_000
RECENT = timedelta(minutes=5)


class SiteCollector(Collector):
    """Asks the database anew at every scrape."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("bayerboard", "The version that answers.", value={"version": scoring.__version__})
        yield from queues()
        ended = {kind.name: totals(kind.name) for kind in job_kinds()}
        yield from finished({group: fields for counts in ended.values() for group, fields in counts.items()})
        yield from images(ended[EVALUATIONS.name])
        yield from leases(Tally.of(EXPIRED_LEASES).counts)
        yield from accepted(totals("submissions"))
        yield from mails()
        yield heartbeat()


def registry() -> CollectorRegistry:
    """Return the registry of the page."""
    made = CollectorRegistry(auto_describe=False)
    made.register(SiteCollector())
    return made


def queue_sets() -> dict[tuple[str, str], LeasedJobQuerySet[Any]]:
    """Return the jobs of each queue and kind."""
    return {(kind.queue, group): kind.jobs.filter(rows) for kind in job_kinds() for group, rows in kind.groups.items()}


def queues() -> Iterator[Metric]:
    """Yield the depth and age of the queues, and the running jobs."""
    labels = ["queue", "kind"]
    depth = GaugeMetricFamily(
        "bayerboard_queue_depth", f"Jobs that wait for a worker (counted to {COUNT_AT_MOST}).", labels=labels
    )
    age = GaugeMetricFamily(
        "bayerboard_queue_oldest_age_seconds", "How long the oldest waiting job has waited.", labels=labels
    )
    running = GaugeMetricFamily("bayerboard_running", "Jobs that a worker holds.", labels=labels)
    expired = GaugeMetricFamily(
        "bayerboard_leases_expired", "Jobs whose worker fell silent, and that beat has yet to take back.", labels=labels
    )
    for names, jobs in queue_sets().items():
        queued, held = jobs.filter(status=QUEUED).order_by(), jobs.filter(status=RUNNING).order_by()
        depth.add_metric(names, queued[:COUNT_AT_MOST].count())
        age.add_metric(names, age_s(queued.aggregate(oldest=Min("queued_at"))["oldest"]))
        running.add_metric(names, held[:COUNT_AT_MOST].count())
        expired.add_metric(names, held.filter(lease_until__lte=Now())[:COUNT_AT_MOST].count())
    yield from (depth, age, running, expired)


def age_s(moment: datetime | None) -> float:
    return max(0.0, (timezone.now() - moment).total_seconds()) if moment else 0.0


def finished(counts: Counts) -> Iterator[Metric]:
    """Tell how jobs ended, how often they were claimed, and how long they waited and ran."""
    ended = CounterMetricFamily(
        "bayerboard_finished",
        "Jobs that are over, by how; without trials, which can be deleted.",
        labels=["kind", "status"],
    )
    retries = CounterMetricFamily(
        "bayerboard_retries", "Claims after a job's first: its worker fell silent or failed.", labels=["kind", "status"]
    )
    queued = HistogramMetricFamily(
        "bayerboard_queued_seconds", "From the queue to the last claim.", labels=["kind", "status"]
    )
    running = HistogramMetricFamily(
        "bayerboard_running_seconds", "From the last claim to the end.", labels=["kind", "status"]
    )
    for group, fields in sorted(counts.items()):
        names = group.split()
        ended.add_metric(names, fields["count"])
        retries.add_metric(names, max(0, fields["claims"] - fields["claimed"]))
        queued.add_metric(names, *histogram(fields, "queued", QUEUED_BUCKETS_S))
        running.add_metric(names, *histogram(fields, "running", RUNNING_BUCKETS_S))
    yield from (ended, retries, queued, running)


def histogram(fields: dict[str, float], name: str, ends_s: tuple[int, ...]) -> tuple[list[tuple[str, float]], float]:
    """Return buckets and sum as prometheus_client takes them."""
    # A bucket that a later version adds has counted nothing before.
    buckets = [(str(float(end)), fields.get(f"{name}_le_{end}", 0)) for end in ends_s]
    return [*buckets, ("+Inf", fields["claimed"])], fields[f"{name}_s"]


def images(counts: Counts) -> Iterator[Metric]:
    """Tell how many images were scored, and how fast at present."""
    scored = sum(fields["images"] for group, fields in counts.items() if group.endswith(f" {Status.SCORED}"))
    yield CounterMetricFamily("bayerboard_images_scored", "Images of scored evaluations.", value=scored)
    recent = Evaluation.objects.filter(status=Status.SCORED, finished_at__gt=timezone.now() - RECENT).order_by()
    total = recent.aggregate(total=Sum("images_done", default=0))["total"]
    yield GaugeMetricFamily(
        "bayerboard_images_per_second", "Images scored per second, over five minutes.", total / RECENT.total_seconds()
    )


def leases(counts: Counts) -> Iterator[Metric]:
    """Yield how often a worker fell silent, by the outcome for its job."""
    family = CounterMetricFamily(
        "bayerboard_lease_takeovers", "Jobs taken from a worker that fell silent.", labels=["queue", "outcome"]
    )
    for queue, fields in sorted(counts.items()):
        for outcome, number in sorted(fields.items()):
            family.add_metric([queue, outcome], number)
    yield family


def accepted(counts: Counts) -> Iterator[Metric]:
    """Yield the accepted submissions and their bytes."""
    fields = counts["accepted"]
    yield CounterMetricFamily("bayerboard_submissions", "Submissions accepted, without trials.", value=fields["count"])
    yield CounterMetricFamily("bayerboard_submission_bytes", "Bytes of their archives.", value=fields["bytes"])


def mails() -> Iterator[Metric]:
    """Tell how many mails wait, since when, and how many of the last month did not go out."""
    waiting = Mail.objects.filter(state=State.PENDING).order_by()
    failed = Mail.objects.filter(state=State.FAILED).order_by()[:COUNT_AT_MOST].count()
    depth, oldest = waiting[:COUNT_AT_MOST].count(), waiting.aggregate(oldest=Min("created_at"))["oldest"]
    yield GaugeMetricFamily("bayerboard_mails_pending", f"Mails that wait (counted to {COUNT_AT_MOST}).", depth)
    yield GaugeMetricFamily("bayerboard_mails_oldest_age_seconds", "How long the oldest of them waits.", age_s(oldest))
    yield GaugeMetricFamily("bayerboard_mails_failed", f"Mails given up (counted to {COUNT_AT_MOST}).", failed)


def heartbeat() -> Metric:
    """Tell when beat last made its round; zero when it never did."""
    last = Heartbeat.last(BEAT)
    return GaugeMetricFamily(
        "bayerboard_beat_last_round_timestamp_seconds",
        "When beat last looked for what is stuck.",
        last.timestamp() if last else 0.0,
    )
