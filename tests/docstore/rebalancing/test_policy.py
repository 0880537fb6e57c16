"""The policy acts late and once; the eager one shows what happens otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from docstore.rebalancing import (
    EAGER,
    PATIENT,
    Decision,
    Health,
    Memory,
    Policy,
    Story,
    Trouble,
    decide,
    example_cluster,
    tell,
)

NODES = tuple(f"n{number}" for number in range(10))
HEALTH: tuple[Health, ...] = ("answers", "late", "silent")
SLOW = Trouble("node-5", 60, 240, 0.25)


def seen(**others: Health) -> dict[str, Health]:
    return {name: others.get(name, "answers") for name in NODES}


def decisions(
    policy: Policy, looks: list[tuple[float, dict[str, Health], float]]
) -> list[Decision]:
    memory, made = Memory(), []
    for now, health, imbalance in looks:
        memory, decision = decide(policy, memory, now, health, imbalance)
        made.append(decision)
    return made


@given(st.lists(st.dictionaries(st.sampled_from(NODES), st.sampled_from(HEALTH[:2])), max_size=50))
def test_a_node_that_answers_however_late_is_never_dead(
    health: list[dict[str, Health]],
) -> None:
    looks = [(at * 1_000.0, seen(**each), 0.0) for at, each in enumerate(health)]
    assert all(decision.kind == "hold" for decision in decisions(PATIENT, looks))


def test_only_lasting_silence_is_death_and_an_answer_starts_it_anew() -> None:
    silent = seen(n3="silent")
    looks = [(0.0, silent, 0.0), (299.0, silent, 0.0), (300.0, silent, 0.0)]
    assert [each.kind for each in decisions(PATIENT, looks)] == ["hold", "hold", "replace"]
    assert decisions(PATIENT, looks)[-1].nodes == ("n3",)
    looks[1] = (299.0, seen(n3="late"), 0.0)
    assert [each.kind for each in decisions(PATIENT, looks)] == ["hold"] * 3


def test_many_silent_at_once_call_a_person() -> None:
    silent = seen(n1="silent", n2="silent", n3="silent")
    last = decisions(PATIENT, [(0.0, silent, 0.0), (400.0, silent, 0.0)])[-1]
    assert (last.kind, last.needs_person) == ("hold", True)


def test_levelling_starts_high_when_it_lasts_and_is_forgotten_only_low() -> None:
    def kinds(*looks: tuple[float, float]) -> list[str]:
        return [each.kind for each in decisions(PATIENT, [(at, seen(), i) for at, i in looks])]

    assert kinds((0, 0.3), (599, 0.3), (600, 0.3)) == ["hold", "hold", "level"]
    assert kinds((0, 0.3), (300, 0.1), (600, 0.1)) == ["hold", "hold", "level"]
    assert kinds((0, 0.3), (300, 0.04), (600, 0.3)) == ["hold"] * 3
    assert kinds((0, 0.19), (10_000, 0.19)) == ["hold", "hold"]


def test_after_a_plan_there_is_a_pause() -> None:
    looks = [(float(at), seen(), 0.3) for at in range(0, 3_601, 100)]
    acted = [
        at
        for (at, _, _), each in zip(looks, decisions(PATIENT, looks), strict=True)
        if each.kind == "level"
    ]
    assert acted == [600.0, 2_400.0]


def test_one_plan_at_a_time() -> None:
    memory = Memory(uneven_since=0.0)
    assert decide(PATIENT, memory, 900.0, seen(), 0.5, is_moving=True)[1].kind == "hold"
    assert decide(PATIENT, memory, 900.0, seen(), 0.5)[1].kind == "level"


def test_a_manual_policy_proposes_and_remembers_no_act() -> None:
    manual = Policy(is_automatic=False)
    memory, decision = decide(manual, Memory(uneven_since=0.0), 900.0, seen(), 0.5)
    assert (decision.kind, decision.needs_person) == ("level", True)
    assert memory.acted_at is None


def told(policy: Policy, trouble: Trouble = SLOW, seconds: int = 600) -> Story:
    return tell(example_cluster(), policy, trouble, seconds=seconds)


def test_an_eager_policy_turns_one_slow_node_into_a_cascade() -> None:
    story = told(EAGER)
    assert story.given_up[0][1] == "node-5"
    assert story.is_cascade
    assert len(story.given_up) == 12
    assert story.failed[-1] == 1.0


def test_the_default_policy_waits_for_the_slow_node_to_recover() -> None:
    story = told(PATIENT)
    assert story.given_up == ()
    assert story.bytes_moved == 0
    assert {state for moment in story.states for state in moment} == {"serving", "late"}
    others = [moment[:4] + moment[5:] for moment in story.states]
    assert {state for moment in others for state in moment} == {"serving"}
    assert set(story.states[-1]) == {"serving"}
    assert story.failed_share < 0.02


def test_the_default_policy_replaces_a_dead_node_and_nobody_else_is_late() -> None:
    story = told(PATIENT, Trouble("node-5", 60, 10_000, 0.0), 1_800)
    assert story.given_up == ((360, "node-5"),)
    assert story.failed_share == 0.0
    assert story.bytes_moved == 60 * 10**9
    others = [moment[:4] + moment[5:] for moment in story.states]
    assert {state for moment in others for state in moment} == {"serving"}
