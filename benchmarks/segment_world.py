"""A shop with a million friends and ten million events, for `benchmarks.segments`.

Everything is made inside the database by `generate_series`, the same each time but for the clock,
and looks as if it had happened: events lie in the order of their moments, a few people do most of
what is done, what rooms work out of events (tallies, sums, ranks, predictions) follows from them.
Indexes are taken down first and built afterwards, which takes a third of the time.
"""

# ruff: noqa: S608 — only names made here

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psycopg

from hiiki.db.embedded import EmbeddedServer
from hiiki.db.migrate import MIGRATIONS, migrate
from hiiki.kit.road import road
from hiiki.ninecells.cells import CELLS
from hiiki.timeline.tallies import tallied

WORKSPACE = UUID("7b1f0d7e-5a52-4c7e-9a7c-0c1d4a6be001")
FOLDER = Path("var/bench-segments")
"""Where worlds are kept between runs."""
FRESH = timedelta(days=3)
"""A world that is older is made anew: of what happened in the last days it has too little."""
TAGS = {
    "Engaged": 0.05,
    "Considering a wedding": 0.1,
    "Wedding planned": 0.04,
    "Wedding done": 0.06,
    "Married for less than a year": 0.05,
    "Married for 3 years or more": 0.1,
    "With children": 0.3,
    "Without children": 0.3,
    "Likes it mild": 0.4,
    "Likes it medium hot": 0.3,
    "Likes it hot": 0.2,
    "Likes it very hot": 0.05,
    "Interested in knitwear": 0.08,
    "Has visited the store": 0.25,
    "Oily skin": 0.15,
    "Dry skin": 0.15,
}
"""The tags of the ready-made segments, and who of all has them."""
BROADCASTS = 40


def named(name: str) -> UUID:
    """Return the id of the tag, question, … that this benchmark calls so."""
    return uuid5(WORKSPACE, name)


CHANNEL, AGE, GENDER, LIST = named("channel"), named("age"), named("gender"), named("list")
QUESTIONS = [named(f"question {n}") for n in range(3)]


def broadcast(number: int) -> UUID:
    """Return the id of a broadcast; the highest is the latest."""
    return uuid5(WORKSPACE, f"broadcast {number}")


def link(number: int, place: int) -> UUID:
    """Return the id of one of a broadcast's two links."""
    return uuid5(WORKSPACE, f"link {number} {place}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of event: how many of a hundred, who does it, and of what it tells."""

    name: str
    share: int
    """Of a hundred events."""
    people: float
    """The part of all friends who ever do it."""
    crowd: int
    """Kinds of one crowd are done by the same people."""
    subject: str = "''"
    value: str = "null::numeric"
    data: str = "'{}'::jsonb"


KINDS = (
    Kind("sent", 30, 0.9, 1, "'broadcast:' || %(broadcasts)s[b]", data='\'{"parcel": ""}\''),
    Kind("message", 13, 0.5, 2),
    Kind("link_open", 15, 0.6, 2, "%(links)s[2 * b - h % 2]"),
    Kind(
        "purchase",
        15,
        0.4,
        3,
        "(array['', 'ginza', 'umeda'])[1 + h % 3]",
        "500 + 10 * (h / 7 % 1200)",
        "jsonb_build_object('order', n::text, 'number', n::text, 'source', 'api')",
    ),
    Kind("coupon_issue", 6, 0.5, 2, f"'{named('coupon')}'"),
    Kind("coupon_use", 4, 0.25, 2, f"'{named('coupon')}'"),
    Kind(
        "survey_answer",
        9,
        0.5,
        4,
        "%(questions)s[1 + h % 3]",
        data="jsonb_build_object('choice_ids', jsonb_build_array('c' || h / 3 % 4))",
    ),
    Kind("cart", 5, 0.25, 3, "'cart' || n", "500 + 10 * (h / 7 % 1200)"),
    Kind("postback", 3, 0.4, 4),
)
DAYS = 400
"""So far back the first event lies."""


@dataclass
class Making:
    """A table, and what it is filled with."""

    table: str
    statement: str
    keys: Sequence[str] = field(default_factory=list[str])
    """Its primary key, where that is built afterwards too: nothing may refer to it."""


def _one(name: str) -> str:
    return f"md5({name!r} || n)::uuid"


PERSON = _one("c")
_HASH = "(hashint8extended(n, {seed}) & 9007199254740991)"


def _statements(friends: int, events: int) -> list[Making]:
    ws = f"'{WORKSPACE}'::uuid"
    people = f"generate_series(1, {friends}) n"
    came = f"now() - (({friends} - n) / {friends}::float8) * interval '{DAYS} days'"
    h = _HASH.format(seed=1)
    tags = ", ".join(f"('{named(name)}'::uuid, {share})" for name, share in TAGS.items())
    prefectures = (
        "array['東京都', '神奈川県', '大阪府', '北海道', '愛知県', '福岡県', '沖縄県', null, null]"
    )
    cells = "array[" + ", ".join(f"'{cell.name}'" for cell in CELLS) + "]"
    return [
        Making(
            "contacts.contact",
            f"""insert into contacts.contact (id, workspace_id, display_name, language, email,
                prefecture, birthday, is_purchaser, created_at, updated_at)
            select {PERSON}, {ws}, '友だち' || n, 'ja',
                case when {h} % 10 < 3 then 'f' || n || '@example.com' end,
                ({prefectures})[1 + {h} / 10 % 9],
                case when {h} / 90 % 10 < 6
                    then date '1950-01-01' + ({h} / 900 % 22000)::int end,
                {h} % 5 = 0, {came}, {came} from {people}""",
        ),
        Making(
            "contacts.friendship",
            f"""insert into contacts.friendship (contact_id, channel_id, workspace_id,
                line_user_id, status, first_followed_at, followed_at, source, last_seen_at)
            select {PERSON}, '{CHANNEL}', {ws}, 'U' || md5('u' || n),
                case when {h} / 11 % 10 = 0 then 'blocked' else 'following' end, {came}, {came},
                (array['poster', 'web', null, null])[1 + {h} / 13 % 4],
                least(now(), {came} + {h} / 17 % 90 * interval '1 day')
            from {people} where {h} / 19 % 20 > 0""",
        ),
        Making(
            "contacts.contact_tag",
            f"""insert into contacts.contact_tag (contact_id, tag_id, workspace_id, at)
            select {PERSON}, tag_id, {ws}, {came} from {people}
            cross join (select row_number() over (), * from (values {tags}) as _ (tag_id, share))
                as tag (seed, tag_id, share)
            where hashint8extended(n, seed) & 65535 < share * 65536""",
        ),
        Making(
            "contacts.contact_attribute",
            f"""insert into contacts.contact_attribute (contact_id, attribute_id, workspace_id,
                number, choice, at)
            select {PERSON}, '{AGE}'::uuid, {ws}, 18 + {h} / 23 % 60, null, {came}
            from {people} where {h} / 29 % 4 > 0
            union all
            select {PERSON}, '{GENDER}', {ws}, null,
                (array['Woman', 'Woman', 'Man', 'Man', 'Other'])[1 + {h} / 31 % 5], {came}
            from {people} where {h} / 37 % 10 < 7""",
        ),
        Making(
            "timeline.event",
            _events(friends, events),
            ("contact_id", "id"),
        ),
        Making("timeline.tally", _tallies(), ("contact_id", "kind", "subject")),
        Making(
            "purchases.order",
            f"""insert into purchases."order" (contact_id, id, workspace_id, source, number, at,
                status, currency, amount, discount, shipping, refunds, refunded, items, lines,
                store, reference, cart, subscription, digest, updated_at, received_at)
            select contact_id, id, {ws}, 'api', data ->> 'number', at, 'paid', 'JPY', value, 0, 0,
                '{{}}', 0, 1, 1, subject, '', '', '', '', at, at
            from timeline.event where kind = 'purchase'""",
            ("contact_id", "id"),
        ),
        Making(
            "purchases.order_line",
            f"""insert into purchases.order_line (contact_id, order_id, position, workspace_id,
                product, name, variant, quantity, amount)
            select contact_id, id, 0, {ws}, 'SKU-' || hashtext(number) % 500, 'カレー', '', 1,
                amount from purchases."order" """,
            ("contact_id", "order_id", "position"),
        ),
        Making(
            "purchases.customer",
            f"""insert into purchases.customer (contact_id, workspace_id, orders, spent, average,
                items, days, gap_days, first_at, last_at, is_marked)
            select contact_id, {ws}, count(*), sum(amount), round(avg(amount)), count(*),
                count(distinct at::date), case when count(*) > 1
                    then extract(epoch from max(at) - min(at)) / 86400 / (count(*) - 1) end,
                min(at), max(at), false
            from purchases."order" group by contact_id""",
        ),
        Making(
            "purchases.subscriber",
            f"""insert into purchases.subscriber (contact_id, workspace_id, continued, active)
            select {PERSON}, {ws}, 1 + {h} / 41 % 12, 1 from {people} where {h} / 43 % 12 = 0""",
        ),
        Making(
            "rfm.standing",
            f"""insert into rfm.standing (contact_id, workspace_id, recency, frequency, monetary,
                last_on, orders, spent)
            select contact_id, {ws}, ntile(5) over (order by last_at),
                ntile(5) over (order by orders), ntile(5) over (order by spent), last_at::date,
                orders, spent from purchases.customer""",
        ),
        Making(
            "ltv.prediction",
            f"""insert into ltv.prediction (contact_id, workspace_id, predicted, alive, expected,
                orders, spent, last_on)
            select contact_id, {ws}, round(average * orders * alive, 2), round(alive, 4),
                round(orders * alive, 2), orders, spent, last_at::date
            from (select *, exp(-extract(epoch from now() - last_at) / 86400 / 100)::numeric
                as alive from purchases.customer)""",
        ),
        Making(
            "ninecells.standing",
            f"""insert into ninecells.standing (contact_id, workspace_id, cell, since)
            select {PERSON}, {ws}, ({cells})[1 + {h} / 47 % 9], {came}
            from {people} where {h} / 53 % 2 = 0""",
        ),
        Making(
            "segments.list_member",
            f"""insert into segments.list_member (contact_id, list_id, workspace_id)
            select {PERSON}, '{LIST}', {ws} from {people} where {h} / 59 % 10 = 0""",
        ),
    ]


def _events(friends: int, events: int) -> str:
    """Return the statement for all events: who does it is skewed, when is even."""
    parts: list[str] = []
    broadcasts = [str(broadcast(number)) for number in range(BROADCASTS)]
    links = [str(link(number, place)) for number in range(BROADCASTS) for place in range(2)]
    arrays = {
        "broadcasts": _array(broadcasts),
        "links": _array(links),
        "questions": _array([str(each) for each in QUESTIONS]),
    }

    def choose(what: str, kinds: Sequence[Kind] = KINDS) -> str:
        below, found = 0, "case"
        for kind in kinds:
            below += kind.share
            found += f" when n % 100 < {below} then {_filled(getattr(kind, what), arrays)}"
        return found + " end"

    below = 0
    crowd, share, name = "case", "case", "case"
    for kind in KINDS:
        below += kind.share
        crowd += f" when n % 100 < {below} then {kind.crowd}"
        share += f" when n % 100 < {below} then {kind.people}"
        name += f" when n % 100 < {below} then '{kind.name}'"
    parts = [
        f"""insert into timeline.event (contact_id, id, workspace_id, at, channel_id, kind, subject,
            value, data)
        select md5('c' || p)::uuid, uuidv7(at - now()), '{WORKSPACE}', at, '{CHANNEL}',
            {name} end, {choose("subject")}, {choose("value")}, {choose("data")}
        from (
            select n, h, now() - ({events} - n) / {events}::float8 * interval '{DAYS} days' as at,
                1 + {BROADCASTS} * (n - 1) / {events} as b,
                -- A permutation of the friends for each crowd.
                1 + (floor({friends} * ({share} end) * power((h % 1000003) / 1000003.0::float8, 1.5)
                    )::bigint * 7919 + ({crowd} end) * 104729) % {friends} as p
            from (select n, {_HASH.format(seed=7)} as h from generate_series(1, {events}::bigint) n)
        )"""
    ]
    return parts[0]


def _filled(sql: str, arrays: dict[str, str]) -> str:
    for name, value in arrays.items():
        sql = sql.replace(f"%({name})s", value)
    return sql


def _array(values: Sequence[str]) -> str:
    return f"('{{{','.join(values)}}}'::text[])"


def _tallies() -> str:
    """Return the statement that counts the events as `hiiki.timeline.tallies` does."""
    counted = [f"'{kind.name}'" for kind in KINDS if tallied(kind.name)]
    by_subject = [f"'{kind.name}'" for kind in KINDS if tallied(kind.name) == "subject"]
    subject = f"case when kind in ({', '.join(by_subject)}) then subject else '' end"
    return f"""insert into timeline.tally (contact_id, kind, subject, workspace_id, n, total, least,
            most, first_at, last_at, chosen)
        select contact_id, kind, subject, '{WORKSPACE}', n, total, least, most, first_at, last_at,
            case when chosen is not null
                then array(select jsonb_array_elements_text(chosen)) end
        from (
            select contact_id, kind, {subject} as subject, count(*) as n, sum(value) as total,
                min(value) as least, max(value) as most, min(at) as first_at, max(at) as last_at,
                (array_agg(data -> 'choice_ids' order by at desc, id desc)
                    filter (where kind = 'survey_answer'))[1] as chosen
            from timeline.event where kind in ({", ".join(counted)})
            group by contact_id, kind, {subject}
        )
        order by first_at"""


async def world(server: EmbeddedServer, friends: int, events: int) -> str:
    """Return the address of a database with this world, made unless it is there."""
    assert road().events, "the rooms are known"
    makings = _statements(friends, events)
    told = "".join(making.statement for making in makings)
    for path in sorted(MIGRATIONS.glob("versions/*.py")):
        told += path.read_text()
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    name = f"segments_{friends}_{events}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as db:
        found = db.execute(
            "select shobj_description(oid, 'pg_database') from pg_database where datname = %s",
            (name,),
        ).fetchone()
        if found is not None and found[0] and found[0].startswith(f"{digest} "):
            age = time.time() - float(found[0].split()[1])
            if age < FRESH.total_seconds():
                return server.url(name)
        db.execute(f'drop database if exists "{name}"')
    server.create_database(name)
    url = server.url(name)
    await migrate(url)
    start = time.perf_counter()
    await asyncio.to_thread(_build, url, makings)
    with psycopg.connect(server.url("postgres"), autocommit=True) as db:
        db.execute(f"comment on database \"{name}\" is '{digest} {time.time():.0f}'")
    _say(f"{friends:,} friends and {events:,} events: {time.perf_counter() - start:.0f} s")
    return url


def _build(url: str, makings: Sequence[Making]) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        # As a replica would: what is made here needs no foreign key to be looked up.
        db.execute("set session_replication_role = replica; set jit = off")
        db.execute("set work_mem = '256MB'; set maintenance_work_mem = '512MB'")
        db.execute("set synchronous_commit = off; set max_parallel_maintenance_workers = 1")
        _small_things(db)
        for making in makings:
            start = time.perf_counter()
            with db.transaction():
                later = _take_down(db, making)
                db.execute(making.statement)
            for statement in later:
                db.execute(statement)
            # Index-only scans ask which pages everybody can see, the planner what is in them.
            db.execute(f"vacuum analyze {_quoted(making.table)}")
            _say(f"  {making.table}: {time.perf_counter() - start:.1f} s")
        db.execute("analyze")


def _take_down(db: psycopg.Connection[Any], making: Making) -> list[str]:
    """Drop the indexes of a table; returns the statements that make them again."""
    rows = db.execute(
        "select indexrelid::regclass::text, indisprimary, pg_get_indexdef(indexrelid)"
        " from pg_index where indrelid = %s::regclass",
        (_quoted(making.table),),
    ).fetchall()
    later: list[str] = []
    for index, is_primary, definition in rows:
        if not is_primary:
            db.execute(f"drop index {index}")
            later.append(definition)
        elif making.keys:
            name = index.rpartition(".")[2]
            table = _quoted(making.table)
            db.execute(f"alter table {table} drop constraint {name}")
            later.insert(
                0, f"alter table {table} add constraint {name} primary key"
                f" ({', '.join(making.keys)})",
            )  # fmt: skip
    return later


def _quoted(table: str) -> str:
    schema, _, name = table.partition(".")
    return f'{schema}."{name}"'


def _small_things(db: psycopg.Connection[Any]) -> None:
    """Make the workspace, its account, tags, attributes, questions, list and links."""
    stamp = "now(), now()"
    db.execute(
        "insert into workspace.workspace (id, name, locale, timezone, created_at, updated_at)"
        f" values (%s, 'bench', 'ja', 'Asia/Tokyo', {stamp})",
        (WORKSPACE,),
    )
    db.execute(
        "insert into workspace.channel (id, workspace_id, name, line_channel_id, provider,"
        " bot_user_id, basic_id, picture_url, sealed_secret, sealed_token, webhook_key, plan,"
        " quota_used, is_active, created_at, updated_at) values"
        f" (%s, %s, 'a', '1', '1', '', '', '', '', '', 'k', 'light', 0, true, {stamp})",
        (CHANNEL, WORKSPACE),
    )
    for name in TAGS:
        db.execute(
            "insert into contacts.tag (id, workspace_id, name, colour, description, created_at,"
            f" updated_at) values (%s, %s, %s, 'blue', '', {stamp})",
            (named(name), WORKSPACE, name),
        )
    for ident, key, kind, choices in (
        (AGE, "age", "number", "[]"),
        (GENDER, "gender", "choice", '["Woman", "Man", "Other"]'),
    ):
        db.execute(
            "insert into contacts.attribute (id, workspace_id, key, label, kind, choices, position,"
            f" unit, initial, created_at, updated_at) values (%s, %s, %s, %s, %s, %s, 0, '', '',"
            f" {stamp})",
            (ident, WORKSPACE, key, key, kind, choices),
        )
    db.execute(
        "insert into segments.list (id, workspace_id, name, members, created_at, updated_at)"
        f" values (%s, %s, 'list', 0, {stamp})",
        (LIST, WORKSPACE),
    )
    for number in range(BROADCASTS):
        for place in range(2):
            ident = link(number, place)
            db.execute(
                "insert into content.link (id, workspace_id, code, url, label, owner, created_at,"
                f" updated_at) values (%s, %s, %s, 'https://example.com/', '', %s, {stamp})",
                (ident, WORKSPACE, ident.hex, f"broadcast:{broadcast(number)}"),
            )


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 — a benchmark speaks on the terminal
