"""What an answer does not wait for while many messages arrive."""

from memory.capture.recorder import Newest


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_where_few_messages_arrive_all_are_waited_for() -> None:
    clock = Clock()
    newest = Newest(clock=clock)
    for end in range(10):
        newest.note(end)
        clock.now += 0.5

    assert newest.floor() is None


def test_while_many_arrive_those_of_the_last_second_are_not_waited_for() -> None:
    clock = Clock()
    newest = Newest(clock=clock)
    for end in range(101):
        clock.now = end / 50
        newest.note(end)

    assert newest.floor() == 50


def test_it_waits_for_all_again_once_fewer_arrive() -> None:
    clock = Clock()
    newest = Newest(clock=clock)
    for end in range(100):
        newest.note(end)
    assert newest.floor() is not None

    clock.now += 2

    assert newest.floor() is None


def test_of_a_flood_no_more_is_noted_than_has_room() -> None:
    clock = Clock()
    newest = Newest(clock=clock)
    for end in range(50_000):
        newest.note(end)

    assert newest.floor() == 48_000
