"""cent, Centrifugo's client of its server API: publishes four years of days, which every subscriber can account for."""

import datetime
import json
import threading

import pytest
from cent import BroadcastRequest, CentApiResponseError, Client, HistoryRequest, PresenceRequest, PresenceStatsRequest
from cent import PublishRequest
from websockets.sync.client import connect

from server import Server

# As many days as 2012 to 2015 have, in the columns of the Seattle weather that plotting libraries use as an example.
FIRST = datetime.date(2012, 1, 1)
DAYS = [
    {"date": f"{FIRST + datetime.timedelta(days=day):%Y/%m/%d}", "precipitation": day % 7 / 2, "temp_max": day % 30 - 1.5,
     "weather": ["drizzle", "rain", "sun", "snow", "fog"][day % 5]}
    for day in range(1_461)
]
TOPIC = "weather:seattle"
DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def market():
    with Server("--weather", "none", rate=100) as server:
        yield server


@pytest.fixture
def client(market):
    return Client(f"{market.http}/api", api_key="any", timeout=DEADLINE_SECONDS)


class Subscriber(threading.Thread):
    """A session that subscribes to the topic, and counts its messages until all days are accounted for."""

    def __init__(self, market, x):
        super().__init__(daemon=True)
        self.url, self.command = market.stream, json.dumps({"action": "subscribe", "topics": [TOPIC], **x})
        self.is_subscribed = threading.Event()
        self.messages, self.merged, self.last = 0, 0, None

    def run(self):
        with connect(self.url) as session:
            session.send(self.command)
            while self.messages + self.merged < len(DAYS):
                for message in json.loads(session.recv(DEADLINE_SECONDS)):
                    if message["T"] == "subscription":
                        self.is_subscribed.set()
                    elif message["T"] == "m":
                        self.count(message)

    def count(self, message):
        merged = message.get("cf", 0)
        # The nodes of a cluster do not begin with 1.
        assert self.last is None or message["sq"] - self.last["sq"] == merged + 1
        self.messages, self.merged, self.last = self.messages + 1, self.merged + merged, message


def test_every_subscriber_ends_with_the_last_day_and_cf_accounts_for_the_others(market, client):
    paces = [{}, {"x": {"id": 1}}, {"x": {"id": 1, "conflate_ms": 250}}, {"x": {"id": 1, "conflate_ms": 2_000}}]
    subscribers = [Subscriber(market, x) for x in paces]
    for subscriber in subscribers:
        subscriber.start()
        assert subscriber.is_subscribed.wait(DEADLINE_SECONDS)

    numbers = [client.publish(PublishRequest(channel=TOPIC, data=day)).offset for day in DAYS]
    for subscriber in subscribers:
        subscriber.join(DEADLINE_SECONDS)

    assert numbers == list(range(numbers[0], numbers[0] + len(DAYS)))
    for subscriber, x in zip(subscribers, paces):
        assert subscriber.last is not None and subscriber.last["d"] == DAYS[-1], x
        assert subscriber.messages + subscriber.merged == len(DAYS), x
    assert subscribers[-1].merged > 0, "a session at a slower pace gets fewer"
    history = client.history(HistoryRequest(channel=TOPIC, limit=-1))
    assert history.offset == numbers[-1]
    assert [publication.data for publication in history.publications] == DAYS[-100:]


def test_presence_and_errors_are_read(market, client):
    with connect(f"{market.stream}?userId=anna") as session:
        session.send(json.dumps({"action": "subscribe", "topics": ["chat:lobby"]}))
        while json.loads(session.recv(DEADLINE_SECONDS))[0]["T"] != "subscription":
            pass

        stats = client.presence_stats(PresenceStatsRequest(channel="chat:lobby"))
        present = client.presence(PresenceRequest(channel="chat:lobby")).presence

    assert (stats.num_clients, stats.num_users) == (1, 1)
    assert present["anna"].user == "anna"
    for call, request, code in [
        (client.presence_stats, PresenceStatsRequest(channel=TOPIC), 108),
        (client.publish, PublishRequest(channel="nowhere:x", data=1), 102),
    ]:
        with pytest.raises(CentApiResponseError) as refused:
            call(request)
        assert refused.value.code == code


def test_a_broadcast_has_a_response_for_each_topic(client):
    answer = client.broadcast(BroadcastRequest(channels=["weather:oslo", "nowhere:x"], data={"rain": 1}))

    assert [response.error.code if response.error else 0 for response in answer.responses] == [0, 102]
    assert answer.responses[0].result.offset > 0
