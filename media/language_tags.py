"""Write BCP-47 language tags into mp4 and Matroska, which ffmpeg leaves at three letters of ISO 639-2."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.errors import MediaError

# ISO 639-1 and the terminological code of ISO 639-2. Source: the code tables of the Library of Congress.
_TWO_TO_THREE = dict(
    pair.split(":")
    for pair in (
        "aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul "
        "bh:bih bi:bis bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv "
        "cy:cym da:dan de:deu dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin "
        "fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv "
        "ht:hat hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn "
        "jv:jav ka:kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor "
        "ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal "
        "mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav "
        "ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron "
        "ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp "
        "ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur "
        "ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid "
        "yo:yor za:zha zh:zho zu:zul"
    ).split()
)
_BIBLIOGRAPHIC = dict(  # Matroska's older element holds these instead
    pair.split(":")
    for pair in (
        "sqi:alb hye:arm eus:baq bod:tib mya:bur ces:cze zho:chi cym:wel deu:ger nld:dut ell:gre fas:per fra:fre "
        "kat:geo isl:ice mkd:mac mri:mao msa:may ron:rum slk:slo"
    ).split()
)
_LANGUAGE, _LANGUAGE_BCP47 = b"\x22\xb5\x9c", b"\x22\xb5\x9d"  # EBML identifiers of Matroska
_CHUNK_OFFSETS = {b"stco": ">I", b"co64": ">Q"}
_INNER_BOXES = (b"trak", b"mdia", b"minf", b"stbl")


def iso_639_2(tag: str) -> str:
    """Return the three-letter (terminological) code of a BCP-47 tag's language; "und" where there is none."""
    language = tag.split("-")[0].lower()
    code = _TWO_TO_THREE.get(language, language)
    return code if len(code) == 3 and code.isascii() and code.isalpha() else "und"


def bcp_47(language: str | None) -> str | None:
    """Return the BCP-47 tag for what a container states: its two-letter code where there is one."""
    if language is None or language.lower() == "und":
        return None
    head, *rest = language.split("-")
    terminological = {old: new for new, old in _BIBLIOGRAPHIC.items()}.get(head.lower(), head.lower())
    two = next((two for two, three in _TWO_TO_THREE.items() if three == terminological), terminological)
    tag = "-".join([two, *rest])
    return tag if tag.isascii() and tag.replace("-", "").isalnum() else None


def matroska_placeholder(track: int, tag: str) -> str:
    """Return a stand-in of just the length that the two language elements of `tag` need."""
    size = len(_matroska_elements(tag)) - len(_LANGUAGE) - 1
    return f"{track:02d}".ljust(size, "?")


def fill_matroska_tags(path: Path, tags: Sequence[str | None]) -> None:
    """Put Language and LanguageBCP47 in place of each tagged track's `matroska_placeholder`; sizes stay.

    Raises: MediaError where a placeholder is not there once.
    """
    with path.open("r+b") as file:
        head = file.read(1 << 20)
        for track, tag in enumerate(tags):
            if tag is None:
                continue
            name = matroska_placeholder(track, tag).encode()
            held = _LANGUAGE + bytes([0x80 | len(name)]) + name
            if head.count(held) != 1:
                raise MediaError(f"{path}: the language of track {track} ({tag}) has no place: report this as a bug")
            file.seek(head.index(held))
            file.write(_matroska_elements(tag))


def add_mp4_tags(path: Path, tags: Sequence[str | None]) -> None:
    """Add an extended-language box (elng) to each track that has a tag; the index must precede the media.

    Source: ISO/IEC 14496-12, 8.4.6. Raises: MediaError where the index is not as ffmpeg writes it.
    """
    with path.open("rb") as file:
        start, size = _top_box(file.read(1 << 16), b"moov", path)
        file.seek(start)
        index = file.read(size)
    grown = _tagged(index, list(tags))
    _shift_chunks(grown, len(grown) - size)
    _replace(path, start, size, bytes(grown))


def _matroska_elements(tag: str) -> bytes:
    code = iso_639_2(tag)
    old = _BIBLIOGRAPHIC.get(code, code).encode()
    new = tag.encode()
    return _LANGUAGE + bytes([0x80 | len(old)]) + old + _LANGUAGE_BCP47 + bytes([0x80 | len(new)]) + new


def _boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        size = struct.unpack_from(">I", data, start)[0]
        if size < 8:
            return
        yield bytes(data[start + 4 : start + 8]), start, size
        start += size


def _top_box(head: bytes, name: bytes, path: Path) -> tuple[int, int]:
    for kind, start, size in _boxes(head, 0, len(head)):
        if kind == name:
            return start, size
    raise MediaError(f"{path}: its index does not stand in front: report this as a bug")


def _tagged(box: bytes, tags: list[str | None]) -> bytearray:
    """Copy a moov box, with elng after the mdhd of each track in turn."""
    parts = bytearray(box[:8])
    for kind, start, size in _boxes(box, 8, len(box)):
        child = box[start : start + size]
        parts += _tagged(child, tags) if kind in (b"trak", b"mdia") else child
        if kind == b"mdhd":
            tag = tags.pop(0) if tags else None
            parts += b"" if tag is None else _elng(tag)
    struct.pack_into(">I", parts, 0, len(parts))
    return parts


def _elng(tag: str) -> bytes:
    body = bytes(4) + tag.encode() + b"\0"
    return struct.pack(">I", 8 + len(body)) + b"elng" + body


def _shift_chunks(index: bytearray, shift: int, start: int = 0, end: int | None = None) -> None:
    """Move the absolute offsets of all chunks by what the index grew."""
    for kind, at, size in _boxes(index, start + 8, len(index) if end is None else end):
        if kind in _INNER_BOXES:
            _shift_chunks(index, shift, at, at + size)
        elif kind in _CHUNK_OFFSETS:
            form = _CHUNK_OFFSETS[kind]
            for entry in range(at + 16, at + size, struct.calcsize(form)):
                struct.pack_into(form, index, entry, struct.unpack_from(form, index, entry)[0] + shift)


def _replace(path: Path, start: int, size: int, grown: bytes) -> None:
    """Rewrite the file with other bytes in place of [start, start + size)."""
    partial = path.with_name(path.name + ".tagged")
    with path.open("rb") as source, partial.open("wb") as target:
        target.write(source.read(start))
        target.write(grown)
        source.seek(start + size)
        while block := source.read(1 << 20):
            target.write(block)
    partial.replace(path)
