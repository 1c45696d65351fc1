"""OpenTelemetry spans of a run (extra ``otel``): the run, its steps, and an event a check.

Names follow the CI/CD semantic conventions: https://opentelemetry.io/docs/specs/semconv/cicd/
Where they go is OpenTelemetry's own configuration (``OTEL_EXPORTER_OTLP_ENDPOINT`` and the like).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from truegreen.errors import UsageError
from truegreen.outputs.run_record import RunRecord

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_RESULTS = {"green": "success", "red": "failure", "unverified": "error"}


def otlp_exporter() -> SpanExporter:
    """The exporter that the environment configures. UsageError without the extra ``otel``."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise UsageError(
            "OpenTelemetry is not installed", hint="pip install 'truegreen[otel]'"
        ) from error
    return OTLPSpanExporter()


def export_spans(record: RunRecord, exporter: SpanExporter) -> None:
    """Sends the run's spans to ``exporter`` and waits until it has taken them.

    The run's span begins ``timings.total`` seconds before the record's time; a step's span goes
    from its first to its last event.
    """
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    resource = Resource.create({"service.name": "truegreen", "service.namespace": record.service})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("truegreen")
    end = _nanoseconds(record.at)
    begin = end - int(float(record.document["timings"].get("total", 0.0)) * 1e9)
    root = tracer.start_span(
        f"RUN truegreen {record.kind}", start_time=begin, attributes=_attributes(record)
    )
    for check in record.checks():
        root.add_event(
            f"check {check['name']}",
            {
                "truegreen.check.status": str(check["status"]),
                "truegreen.check.observed": str(check["observed"])[:500],
                "truegreen.check.required": bool(check["required"]),
            },
            _nanoseconds(str(check["at"])),
        )
    for name, first, last, state in _steps(record):
        span = tracer.start_span(
            f"STEP {name}",
            context=set_span_in_context(root),
            start_time=first,
            attributes={
                "cicd.pipeline.task.name": name,
                "cicd.pipeline.task.run.result": "failure" if state == "failed" else "success",
            },
        )
        span.end(last)
    if record.verdict != "green":
        root.set_status(Status(StatusCode.ERROR, record.sentence))
    root.end(end)
    provider.shutdown()


def _attributes(record: RunRecord) -> dict[str, Any]:
    told = {
        "cicd.pipeline.name": f"truegreen {record.kind}",
        "cicd.pipeline.result": _RESULTS[record.verdict],
        "deployment.environment.name": record.environment,
        "vcs.ref.head.revision": record.commit,
        "truegreen.app": record.app,
        "truegreen.verdict": record.verdict,
        "truegreen.release": record.release,
    }
    if record.run_url:
        told["cicd.pipeline.run.url.full"] = record.run_url
    return {name: value for name, value in told.items() if value}


def _steps(record: RunRecord) -> list[tuple[str, int, int, str]]:
    spans: dict[str, tuple[int, int, str]] = {}
    for event in record.document["events"]:
        at, name = _nanoseconds(str(event["at"])), str(event["step"])
        first = spans[name][0] if name in spans else at
        spans[name] = (first, at, str(event["state"]))
    return [(name, first, last, state) for name, (first, last, state) in spans.items()]


def _nanoseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e9)
