"""Which translator is chosen, and that each gives a text for a text."""

import json
import shutil
from pathlib import Path

import pytest

from models.translation.apertium import find_apertium
from models.translation.translator import find_translator
from schemas.errors import RequestError, WeightsError

SENTENCES = ["the house is green", "a dog runs", "we build a small table", "measure the board twice", "the sea is calm"]


def test_a_pair_that_nothing_translates_says_what_would(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"en-US to tlh.*--script.*Apertium.*opus-mt-en-tlh") as caught:
        find_translator("en-US", "tlh", tmp_path)
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Marian checkpoint of random weights and a tokenizer of five sentences: it shows the plumbing only."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="Marian's tokenizer needs sentencepiece")
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    folder = tmp_path_factory.mktemp("models with a space")
    text = folder / "text.txt"
    text.write_text("\n".join(SENTENCES * 20))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spm"), vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    names = ["</s>", "<unk>", *(pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(dict.fromkeys(names))}))
    spm = str(folder / "spm.model")
    tokenizer = MarianTokenizer(vocab=str(folder / "vocab.json"), source_spm=spm, target_spm=spm)
    pad = tokenizer.pad_token_id
    torch.manual_seed(0)
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(tokenizer), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64,
            pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0, forced_eos_token_id=0, max_length=24,
        )
    )  # fmt: skip
    model.save_pretrained(folder / "opus-mt-en-xx", safe_serialization=True)
    tokenizer.save_pretrained(folder / "opus-mt-en-xx")
    return folder


def test_a_marian_directory_is_loaded_and_run(models_dir: Path) -> None:
    translator = find_translator("en-GB", "xx", models_dir)
    assert translator.name == "opus-mt-en-xx"
    texts = [*SENTENCES, "", " ", *SENTENCES]
    translated = translator.translate(texts)
    assert len(translated) == len(texts) and translated[5:7] == ("", " ")
    assert translated == translator.translate(texts)
    assert translated[:5] == translated[7:]
    assert translator.translate([]) == ()


def test_a_marian_directory_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "opus-mt-en-xx").mkdir()
    with pytest.raises(WeightsError, match="opus-mt-en-xx"):
        find_translator("en", "xx", tmp_path).translate(["a dog runs"])


@pytest.fixture
def spanish() -> object:
    translator = find_apertium("en-US", "es-MX") if shutil.which("apertium") else None
    if translator is None:
        pytest.skip("the Apertium pair eng-spa is not installed")
    return translator


def test_apertium_gives_a_line_for_a_line(spanish: object) -> None:
    assert find_translator("en", "es", None).name == "apertium eng-spa"
    translate = spanish.translate  # type: ignore[attr-defined]
    texts = ["The house is green.", "", "-v", "two\nlines", "Zorblax!", "x^y$z\\ [w] {v} <u>"]
    translated = translate(texts)
    assert len(translated) == len(texts)
    assert translated[0] == "La casa es verde." and translated[1] == ""
    assert translated[4] == "Zorblax!" and not any("*" in text for text in translated)
    assert translate(["The house is green."] * 40) == ("La casa es verde.",) * 40
    assert translate([]) == ()
