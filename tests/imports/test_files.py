"""Files of strangers: encodings, separators, broken quotes, and lines that belong together."""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hiiki.imports import files
from hiiki.imports.cells import Manner
from hiiki.imports.guessing import guess, recognise
from hiiki.imports.slices import Layout, read_slices
from hiiki.kit.errors import Invalid
from hiiki.kit.importable import Column, ExportFormat

JAPANESE = "会員番号,氏名,メモ\n1,山田 太郎,東京の店で会った\n2,佐藤 花子,カレーが好き\n" * 4
CHINESE = "會員編號,姓名,備註\n1,陳大文,在台北的店見過面\n2,林美玲,喜歡喝珍珠奶茶\n" * 4
THAI = "รหัสลูกค้า,ชื่อ,หมายเหตุ\n1,สมชาย ใจดี,เจอที่ร้านในกรุงเทพ\n2,สมหญิง,ชอบแกงเขียวหวาน\n" * 4
KANA = "ｶﾞｲﾝｺｰﾄﾞ,ﾅﾏｴ\n1,ﾔﾏﾀﾞ ﾀﾛｳ\n2,ｻﾄｳ ﾊﾅｺ\n" * 4


@pytest.mark.parametrize("country", ["JP", "TW", "TH", ""])
@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (JAPANESE, "utf-8", "utf-8-sig"),
        (JAPANESE, "utf-8-sig", "utf-8-sig"),
        (JAPANESE, "cp932", "cp932"),
        (JAPANESE, "utf-16", "utf-16"),
        (JAPANESE, "utf-16-le", "utf-16-le"),
        (CHINESE, "big5", "big5hkscs"),
        (CHINESE, "utf-8", "utf-8-sig"),
        (THAI, "cp874", "cp874"),
        ("a,b\n1,2\n", "ascii", "utf-8-sig"),
    ],
)
def test_encodings_are_found(
    tmp_path: Path, text: str, encoding: str, found: str, country: str
) -> None:
    """Wherever the shop is, a file's encoding is told by what is in it."""
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    name = files.find_encoding(path, country)
    assert codecs.lookup(name) == codecs.lookup(found)
    assert files.head(path, name, ",", 1)[0].cells == text.splitlines()[0].split(",")


def test_half_width_katakana_is_japanese_in_japan(tmp_path: Path) -> None:
    """Bank files are all half-width; the same bytes would be Thai letters. And EUC is Japanese."""
    path = tmp_path / "a.csv"
    path.write_bytes(JAPANESE.encode("euc_jp"))
    assert files.find_encoding(path, "JP") == "euc_jp"
    path.write_bytes(KANA.encode("cp932"))
    assert files.find_encoding(path, "JP") == "cp932"


def test_utf8_is_known_by_the_whole_file(tmp_path: Path) -> None:
    """A file that is ASCII for megabytes may hold one name at its end."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 300_000 + "3,山田\n".encode("cp932"))
    assert files.find_encoding(path, "JP") == "cp932"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 300_000 + "3,山田\n".encode())
    assert files.find_encoding(path, "JP") == "utf-8-sig"


CELLS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00\ufffd\ufeff"), max_size=8
)


@settings(max_examples=100)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=6),
    separator=st.sampled_from(list(files.SEPARATORS)),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_csv_can_hold_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str, ending: str
) -> None:
    """Quotes, separators and line ends within cells come back unchanged, with their line."""
    out = io.StringIO()
    csv.writer(
        out, csv.excel, delimiter=separator, lineterminator=ending, quoting=csv.QUOTE_ALL
    ).writerows([["x", "y"], *rows])
    path = tmp_path_factory.getbasetemp() / "csv.csv"
    path.write_bytes(out.getvalue().encode())
    found = list(files.records(path, "utf-8-sig", separator))
    expected = [(n, cells) for n, cells in enumerate(rows, 2) if any(cells)]
    assert [(one.line, one.cells) for one in found[1:]] == expected


def test_separators_are_found(tmp_path: Path) -> None:
    """What makes all lines as wide as the heading stands between the cells."""
    path = tmp_path / "a.tsv"
    for separator in files.SEPARATORS:
        line = separator.join(("a", '"x,y;z"', "c"))
        path.write_text(f"{line}\n" * 5)
        assert files.find_separator(path, "utf-8-sig") == separator


def test_what_cannot_be_read_is_one_line_and_not_the_file(tmp_path: Path) -> None:
    """A byte of another encoding, and a quotation mark that nobody closes."""
    path = tmp_path / "a.csv"
    path.write_bytes("a,b\n1,東\n".encode("cp932") + b"2,\x81\xff\n" + "3,京\n".encode("cp932"))
    found = list(files.records(path, "cp932", ","))
    assert [one.line for one in found if one.wrong is not None] == [3]
    path.write_text('a,b\n1,"open\n' + "2,x\n" * 40_000)
    found = list(files.records(path, "utf-8-sig", ","))
    assert found[1].wrong is not None
    assert found[-1].cells == ["2", "x"]


def test_a_zip_holds_one_csv(tmp_path: Path) -> None:
    """One CSV is taken out; a workbook, an empty archive and a bomb are refused."""
    path = tmp_path / "a.csv"

    def packed(**names: bytes) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in names.items():
                archive.writestr(name.replace("__", "."), body)

    packed(orders__csv=b"a,b\n1,2\n", readme__md=b"hello")
    files.unpacked(path, 1000)
    assert path.read_bytes() == b"a,b\n1,2\n"
    for names in ({"sheet__xml": b"<x/>"}, {"a__csv": b"1", "b__csv": b"2"}):
        packed(**names)
        with pytest.raises(Invalid):
            files.unpacked(path, 1000)
    packed(bomb__csv=b"0" * 100_000)
    with pytest.raises(Invalid):
        files.unpacked(path, 1000)
    packed(cut__csv=bytes(range(256)) * 40)
    whole = path.read_bytes()
    for broken in (whole[:60] + b"\xff" * 8 + whole[68:], whole[:-10]):
        path.write_bytes(broken)
        with pytest.raises(Invalid):
            files.unpacked(path, 100_000)
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


COLUMNS = (
    Column("number", "Number", required=True, aliases=("注文番号",)),
    Column("amount", "Amount", "money", aliases=("合計",)),
    Column("email", "E-mail", "email"),
)


def read(path: Path, text: str, group: str = "number", done: int = 1) -> Any:
    path.write_text(text)
    layout = Layout(COLUMNS, ["number", "amount"], Manner.of("Asia/Tokyo"), group)
    return list(read_slices(path, "utf-8-sig", ",", layout, done))


def test_lines_of_one_thing_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice ends between two orders, wherever its lines run out, and going on does the same."""
    monkeypatch.setattr("hiiki.imports.slices.SIZE", 3)
    text = "n,a\n" + "".join(f"{n // 2},{n}\n" for n in range(10))
    parts = read(tmp_path / "a.csv", text)
    assert [[row.line for row in part.rows] for part in parts] == [
        [2, 3], [4, 5], [6, 7], [8, 9], [10, 11],
    ]  # fmt: skip
    rest = read(tmp_path / "a.csv", text, done=parts[1].until)
    assert [row.line for part in rest for row in part.rows] == [6, 7, 8, 9, 10, 11]


def test_an_order_is_whole_or_refused(tmp_path: Path) -> None:
    """One unreadable line refuses its order; lines that stand apart are refused as well."""
    [part] = read(tmp_path / "a.csv", "n,a\n1,5\n1,x\n2,7\n1,9\n,3\n3,1,2,3\n")
    assert [row.line for row in part.rows] == [4]
    refused = {one.line: one for one in part.refused}
    assert set(refused) == {2, 3, 5, 6, 7}
    assert [(one.column, one.value) for one in refused[3].faults] == [("amount", "x")]
    assert "3" in str(refused[2].reason)
    assert refused[6].faults[0].column == "number"


def test_a_column_that_always_says_the_same_is_refused_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing grows with the file: parts come before it is read to its end, also when it is
    read on from the middle."""
    monkeypatch.setattr("hiiki.imports.slices.GROUP_MOST", 4)
    monkeypatch.setattr("hiiki.imports.slices.SIZE", 5)
    text = "n,a\n0,1\n" + "7,1\n" * 18 + "8,1\n" + ",1\n" * 7 + "9,1\n"
    parts = read(tmp_path / "a.csv", text)
    assert max(map(len, parts)) <= 5
    assert [row.line for part in parts for row in part.rows] == [2, 21, 29]
    refused = {one.line: one.reason.english for part in parts for one in part.refused}
    assert {line for line, why in refused.items() if why.startswith("More than")} == set(
        range(3, 21)
    )
    assert {refused[line] for line in range(22, 29)} == {"Please fill this in."}
    rest = read(tmp_path / "a.csv", text, done=12)
    assert [one.line for part in rest for one in part.refused] == [*range(13, 21), *range(22, 29)]


def test_headings_are_known_in_any_writing() -> None:
    """By name, label or alias, without case, blanks and brackets; else by what stands there."""
    found = guess(
        ["注文 番号（必須）", "ＡＭＯＵＮＴ", "連絡先", "?"],
        [["1", "5", "a@example.com", ""], ["2", "6", "b@example.com", ""]],
        COLUMNS,
    )
    assert found == ["number", "amount", "email", ""]


def test_an_export_is_recognised_by_its_headings() -> None:
    """Of two that fit, the one that asks for more."""
    small = ExportFormat("small", "S", ("a",), {"a": "number"})
    large = ExportFormat("large", "L", ("A", "b"), {"a": "number", "b": "amount"})
    assert recognise(["B", "a", "c"], [small, large]) is large
    assert recognise(["c"], [small, large]) is None
