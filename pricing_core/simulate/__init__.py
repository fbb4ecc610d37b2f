"""What strategies would earn under a scenario, judged by draws that had no part in choosing the prices."""

from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.strategies import SimulationResult, simulate_strategies

__all__ = ["Scenario", "SimulationResult", "simulate_strategies"]
