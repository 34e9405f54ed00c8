"""Shows how far a search is, with the best so far: a bar on a terminal, and else a line for each trial that ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from tqdm import tqdm

from recbole_decrs.console import is_watched, tell
from recbole_decrs.evaluator.registry import title_of
from recbole_decrs.log import RunLog
from recbole_decrs.tuning.outputs import STATES, best_setting, counting_trials
from recbole_decrs.tuning.storage import Search


class TuneProgress:
    """Shows the trials of a search as they end.

    Args:
        search: the search.
        total: how many trials there are.
        read: gives the trials so far.
        keep: is given the trials whenever another has ended.
    """

    def __init__(
        self,
        search: Search,
        total: int,
        read: Callable[[], list[FrozenTrial]],
        keep: Callable[[list[FrozenTrial]], None],
    ) -> None:
        self.search, self.read, self.keep = search, read, keep
        self.metric = title_of(search.metric)
        before = counting_trials(read())
        self.shown = {trial.number for trial in before}
        kept = sum(trial.state != TrialState.FAIL for trial in before)
        if kept:
            say(f"{search.folder}: {kept} of {total} trials have ended in earlier calls")
        self.bar = tqdm(total=total, initial=kept, desc="Tune", ncols=110, disable=not is_watched())
        self.bar.bar_format = "{desc} {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} trials [{elapsed}{postfix}]"

    def look(self) -> None:
        """Show what has ended since the last look."""
        trials = self.read()
        ended = counting_trials(trials)
        new = [trial for trial in ended if trial.number not in self.shown]
        if not new:
            return
        self.keep(trials)
        best = best_setting(self.search, trials)
        for trial in new:
            self.shown.add(trial.number)
            if self.bar.disable:
                say(f"{self._line(trial)}{self._best(best)}")
        if not self.bar.disable:
            pruned = sum(trial.state == TrialState.PRUNED for trial in ended)
            setting = f": {in_words(best[1])}" if best else ""
            self.bar.set_postfix_str(f", {pruned} pruned{self._best(best)}{setting}", refresh=False)
            self.bar.update(len(ended) - self.bar.n)

    def __enter__(self) -> TuneProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the bar as it is."""
        self.bar.close()

    def _line(self, trial: FrozenTrial) -> str:
        setting = self.search.setting(trial)
        if trial.state == TrialState.COMPLETE:
            place = trial.user_attrs["scores"].index(trial.value)
            setting |= self.search.measured[place]
        named = f" ({in_words(setting)})" if setting else ""
        epochs, seconds = trial.user_attrs["epochs"], trial.user_attrs["seconds"]
        score = "" if trial.value is None else f" with {self.metric} {trial.value:.4f}"
        outcome = trial.user_attrs.get("error", f"{epochs} epochs, {seconds:.0f} s")
        return f"trial {trial.number}{named}: {STATES[trial.state]}{score}, {outcome}"

    def _best(self, best: tuple[FrozenTrial, dict[str, Any], float] | None) -> str:
        return f", best {self.metric} {best[2]:.4f} of trial {best[0].number}" if best else ""


def say(text: str) -> None:
    """Show a line on the console; no log is open between trials, and each trial has one of its own."""
    with RunLog():
        tell(text)


def in_words(setting: dict[str, Any]) -> str:
    """Write a setting in one line."""
    texts = {key: f"{value:g}" if isinstance(value, float) else str(value) for key, value in setting.items()}
    return ", ".join(f"{key} {text}" for key, text in texts.items())
