"""ScriptService: the facade over everything a worker can do.

One object per worker process, made by ``app``, started after fork, closed on exit; thread-safe. It chooses the mode
of each execution, lists it while it runs, keeps count of it, and delegates the rest.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable

from lithium_script.admission import Admission, Choice
from lithium_script.analysis.analyzer import ScriptAnalyzer
from lithium_script.engine import isolation
from lithium_script.engine.gate import Gate
from lithium_script.engine.registry import ExecutionRegistry, RunningExecution
from lithium_script.engine.rundirectory import RunRoot
from lithium_script.errors import Forbidden, ServiceUnavailable
from lithium_script.model import (
    LOCAL,
    Caller,
    Cancellation,
    Event,
    EventSink,
    ExecutionError,
    ExecutionOutcome,
    ExecutionRequest,
    Json,
    Mode,
)
from lithium_script.peers import PeerHub
from lithium_script.python.isolated import IsolatedRunner
from lithium_script.python.numeric.engine import NumericEngine
from lithium_script.python.pool import InterpreterPool
from lithium_script.python.wrapper import PythonWrapper
from lithium_script.settings import Settings
from lithium_script.store.database import Database
from lithium_script.store.statistics import StatisticsBatch, StatisticsStore, StatisticsTotals
from lithium_script.store.tasks import TaskStore
from lithium_script.store.workers import WorkerStore
from lithium_script.tasks import TaskManager
from lithium_script.upkeep import Upkeep

log = logging.getLogger(__name__)

STOP_GRACE_S = 15.0
SPARE_THREADS = 4
"""Threads of the server that waiting executions leave to health checks, tasks and all else that is quick."""


class ScriptService:
    """What operations call. ``on_stuck`` is told when this process holds a thread that will not end."""

    def __init__(self, settings: Settings, on_stuck: Callable[[], None]) -> None:
        execution, data_dir = settings.execution, settings.store.data_dir
        self.settings = settings
        self.worker_id = uuid.uuid4().hex[:16]
        self.draining = False
        self._started = False
        self.analyzer = ScriptAnalyzer()
        self.numeric = NumericEngine(execution.max_memory_mb)
        self.database = Database(settings.store.database_url)
        self.peers = PeerHub(data_dir / "peers", self.worker_id)
        self.executions = ExecutionRegistry(data_dir / "claims")
        self.wrapper = PythonWrapper(max(4, execution.pool_size), on_stuck)
        patient = max(1, settings.server.threads - execution.pool_size - SPARE_THREADS)
        self._gate = Gate(execution.pool_size, execution.max_queued, patient)
        self._runs = RunRoot(data_dir / "runs", self.worker_id)
        self.pool = InterpreterPool(self._runs.path, execution.pool_size)
        self.isolated = IsolatedRunner(
            self._runs.path, execution.pool_size, isolation.work_out(execution.sandbox_require, (execution.files_dir,))
        )
        self._admission = Admission(self.analyzer, execution)
        self._batch = StatisticsBatch()
        self._undelivered: list[StatisticsTotals] = []
        self._flushing = threading.Lock()
        self._statistics = StatisticsStore(self.database)
        task_store = TaskStore(self.database)
        self.tasks = TaskManager(
            task_store, self.peers, self.worker_id, execution.pool_size, execution.max_queued
        )
        self._upkeep = Upkeep(
            WorkerStore(self.database), task_store, self.worker_id, settings.store.task_retention_hours
        )
        self._flusher = threading.Thread(target=self._flush_regularly, name="statistics", daemon=True)
        self._stopping = threading.Event()
        self.peers.handlers["statistics.flush"] = lambda params: self._flush()
        self.peers.handlers["gauges"] = lambda params: self._gauges()
        self.peers.handlers["executions.list"] = lambda params: self.executions.describe()
        self.peers.handlers["executions.end"] = lambda params: self.executions.request_end(
            params["executionId"], params["level"], params["owner"]
        )

    def start(self) -> None:
        """Start everything of this worker; returns before the fork servers are warm."""
        self.database.migrate()
        self._runs.start()
        self.executions.start()
        self.wrapper.start()
        self.pool.start()
        self.isolated.start()
        self.peers.start()
        self._upkeep.start(socket.gethostname(), os.getpid())
        self.tasks.start()
        self._flusher.start()
        self._started = True

    def close(self, grace_s: float = STOP_GRACE_S) -> None:
        """Stop: refuse what is new, wait ``grace_s`` for what runs, end the rest, write down what is to be kept."""
        self.draining = True
        if not self._started:
            return
        self.tasks.close(grace_s)
        if not self._gate.wait_until_idle(1.0):
            self.executions.request_end(None, "kill", None)
            self._gate.wait_until_idle(grace_s)
        self._stopping.set()
        self._flusher.join()
        self.pool.close()
        self.isolated.close()
        self._upkeep.close()
        self.peers.close()
        self._runs.close()
        self.database.close()

    def readiness(self) -> dict[str, str]:
        """Tell for each thing that must work "ok" or what is wrong."""
        if not self._started or self.draining:
            return {"service": "stopping" if self.draining else "starting"}
        return {"database": self.database.check_writable()} | self.pool.readiness() | self.isolated.readiness()

    def admit(self, request: ExecutionRequest) -> Choice:
        """Choose where a request runs; raise ``SecurityViolation`` or ``InvalidArguments`` if it must not."""
        return self._admission.choose(request)

    def execute(
        self,
        request: ExecutionRequest,
        sink: EventSink | None = None,
        cancellation: Cancellation | None = None,
        caller: Caller = LOCAL,
    ) -> ExecutionOutcome:
        """Run a request to its end, on the caller's thread.

        Raises what ``admit`` raises, ``Conflict`` for an id that is live, ``ResourceExhausted`` where the queue is
        full, ``ServiceUnavailable`` while stopping; whatever the script does is an outcome.
        """
        if self.draining:
            raise ServiceUnavailable("the service is stopping")
        choice = self._admission.choose(request)
        execution_id = request.execution_id or uuid.uuid4().hex
        running = RunningExecution(execution_id, caller.name, cancellation or Cancellation(), choice.mode.value)
        with self.executions.entered(running, chosen=request.execution_id is not None):
            outcome = self._run(choice, running, sink)
        self._batch.record(
            choice.mode.value, "success" if outcome.error is None else outcome.error.code, outcome.execution_time_ms
        )
        return outcome

    def _run(self, choice: Choice, running: RunningExecution, sink: EventSink | None) -> ExecutionOutcome:
        if choice.mode is Mode.INPROCESS:
            run = self.wrapper.run_proven if choice.proven else self.wrapper.run
            outcome = run(choice.request, running)
            _tell(outcome, sink)
            return choice.explain(outcome)
        runner = self.pool if choice.mode is Mode.POOLED else self.isolated
        if choice.mode is Mode.ISOLATED:
            self.isolated.check()
        with self._gate.place(running.cancellation) as entered:
            if not entered:
                return choice.explain(_never_started(running))
            return choice.explain(runner.run(choice.request, running, choice.needs_numpy, sink))

    def running(self) -> list[dict[str, Json]]:
        """Describe every execution that runs on this host, whichever worker runs it; oldest first."""
        found = [one for _, answer in self.peers.broadcast("executions.list", {}) for one in answer]
        return sorted(found, key=lambda one: one["startedAt"])

    def end_executions(self, execution_id: str | None, level: str, caller: Caller) -> list[str]:
        """Ask one execution, or all of the caller's (all there are, with the scope admin), to end; give their ids.

        ``level`` is ``cancel`` or ``kill``. Raise ``Forbidden`` for an execution that another key started.
        """
        owner = None if caller.may("admin") else caller.name
        if execution_id is not None and owner is not None:
            others = [one for one in self.running() if one["executionId"] == execution_id and one["owner"] != owner]
            if others:
                raise Forbidden(f"to {level} what another key started takes the scope admin")
        wish = {"executionId": execution_id, "level": level, "owner": owner}
        return [name for _, answer in self.peers.broadcast("executions.end", wish) for name in answer]

    def gauges(self) -> dict[str, int]:
        """Add up the gauges of all workers of this host."""
        answers = [answer for _, answer in self.peers.broadcast("gauges", {})]
        return {name: sum(gauge[name] for gauge in answers) for name in self._gauges()}

    def statistics(self) -> dict[str, Json]:
        """Give counts and latencies of all workers of the database, and gauges of all workers of this host."""
        self.peers.broadcast("statistics.flush", {})
        gauges = self.gauges()
        isolated = gauges.pop("isolated")
        return self._statistics.read() | {
            "interpreterPool": gauges,
            "isolated": {"running": isolated},
            "tasks": self.tasks.counts(),
        }

    def reset_statistics(self) -> None:
        """Begin to count anew, on every worker."""
        self.peers.broadcast("statistics.flush", {})
        self._statistics.reset()

    def _gauges(self) -> dict[str, int]:
        return {
            "size": self._gate.places,
            "available": self.pool.available + self.isolated.available,
            "busy": self._gate.busy,
            "queued": self._gate.waiting,
            "isolated": self.isolated.running,
        }

    def _flush(self) -> bool:
        with self._flushing:
            self._undelivered.append(self._batch.drain())
            while self._undelivered:
                if self._undelivered[0]:
                    self._statistics.add(self._undelivered[0])
                self._undelivered.pop(0)
        return True

    def _flush_regularly(self) -> None:
        while not self._stopping.wait(1.0):
            self._try_to_flush()
        self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self._flush()
        except Exception:
            log.exception("the statistics could not be written")


def _tell(outcome: ExecutionOutcome, sink: EventSink | None) -> None:
    """Hand over what was printed in this process, which is known only at the end."""
    texts = {"stdout": outcome.stdout, "stderr": outcome.stderr}
    for seq, (kind, text) in enumerate(texts.items(), 1):
        if sink is not None and text:
            sink(Event(kind, {"text": text}, seq, outcome.execution_id))


def _never_started(running: RunningExecution) -> ExecutionOutcome:
    code = "killed" if running.cancellation.level == "kill" else "cancelled"
    return ExecutionOutcome(
        execution_id=running.execution_id,
        success=False,
        error=ExecutionError(code, code.capitalize(), f"{code} on request, before it started"),
        exit_code=None,
    )
