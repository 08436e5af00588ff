"""Made-up results of every kind."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from faceblind.identification.result import StudyResult
from faceblind.workflows.audit_report import AuditReport
from faceblind.workflows.benchmark_result import BenchmarkResult
from faceblind.workflows.compare import Comparison


@pytest.fixture(scope="session")
def examples(script: Callable[[str], ModuleType]) -> ModuleType:
    """The module that makes them."""
    return script("bench/example_results.py")


@pytest.fixture(scope="session")
def study_of(examples: ModuleType) -> Callable[..., StudyResult]:
    """Factory: ``study_of(people, strength, group, label)``."""
    return examples.study


@pytest.fixture(scope="session")
def result(examples: ModuleType) -> StudyResult:
    """A study of 31 people."""
    return examples.study()


@pytest.fixture(scope="session")
def audit_of(examples: ModuleType) -> Callable[..., AuditReport]:
    """Factory: ``audit_of(scans, name)``."""
    return examples.audit


@pytest.fixture(scope="session")
def comparison(examples: ModuleType) -> Comparison:
    """70 of 84 found before, one of 84 after."""
    return examples.comparison()


@pytest.fixture(scope="session")
def league(examples: ModuleType) -> BenchmarkResult:
    """Four methods on 24 people; one failed on a scan, and one tool was not run."""
    return examples.benchmark()
