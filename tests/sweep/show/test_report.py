"""The HTML report: what it holds, and what a browser makes of it."""

import base64
import json
import os
import re
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from memjax.cli import app
from memjax.errors import UserError
from memjax.sweep.analysis.effects import main_effects
from memjax.sweep.analysis.results import final
from memjax.sweep.show.report import html, write
from memjax.sweep.store import directory as store
from reference.sweeps import as_older, with_diagnostics

EVIL = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"


def data(page):
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(found)


def words(text):
    return np.frombuffer(base64.b64decode(text), "<u2")


@pytest.fixture
def swept(make, fail, device):
    """Axes of which the first is not sorted, the third a zipped group; three failed lanes."""
    axes = {"sigma_c2c": [1.0, 0.0, 3.0], "levels": [4, 64], "material": [0, 1]}
    ds = make(axes, lambda material, **rest: device(**rest) - 0.1 * material, seeds=3, epochs=4)
    ds = ds.assign_coords(on_off=("material", [50, 5]), nl_up=("material", [1.0, 2.4]))
    return fail(ds, from_epoch=3, sigma_c2c=3.0, levels=4, material=1).assign_attrs(
        dataset="digits", seconds=12.3, spec='name = "x"\n', memjax="0.1", jax="0.10"
    )


def test_the_cube_is_the_dataset_to_a_ten_thousandth(swept):
    found, ds = data(html(swept)), swept.sortby("sigma_c2c")
    last = final(ds)
    for name, cells in {"mean": last.mean("seed"), "sd": last.std("seed", ddof=1)}.items():
        assert np.abs(words(found["cells"][name]) / 1e4 - cells.values.ravel()).max() < 1.01e-4
    assert found["lost"] == (ds.status != 0).sum("seed").values.ravel().tolist()
    curves = words(found["curves"]["mean"]).reshape(3, 2, 2, 4) / 1e4
    assert np.allclose(curves[0], ds.test_accuracy.isel(sigma_c2c=0).mean("seed"), atol=1.01e-4)
    assert np.allclose(curves[2, 0, 1, 2:], 0.1)  # failed: at chance
    assert found["best"] == last.mean("seed").values.argmax()
    assert found["baseline"]["mean"][-1] == pytest.approx(
        float(ds.baseline_accuracy[:, -1].mean()), abs=1e-4
    )
    assert [share for _, share in found["effects"]] == pytest.approx(
        main_effects(ds)["share"].tolist(), abs=1e-4
    )


def test_a_number_is_the_tables_own(make):
    """Rounded on to a ten-thousandth and again to a tenth of a percent, 51.849 % were 51.9 %."""
    ds = make({"levels": [4, 8, 16]}, seeds=1, noise=0.0)
    told = np.array([0.51849, 0.5185, 0.51252])
    ds["test_accuracy"] = ds.test_accuracy.astype(float)
    ds["test_accuracy"][:, 0, -1] = told
    shown = [f"{word / 100:.1f}" for word in words(data(html(ds))["cells"]["mean"])]
    assert shown == [f"{100 * value:.1f}" for value in told]


def test_axes_are_labelled(swept):
    sigma, levels, material = data(html(swept.assign_coords(levels=[8, 64])))["axes"]
    assert (sigma["x"], sigma["values"]) == ([0, 1, 3], ["0", "1", "3"])
    assert sigma["label"] == "cycle-to-cycle sd of one step (mean steps)"
    assert levels["values"] == ["8", "64"]
    assert material["name"] == "material (on_off, nl_up)" and material["x"] is None
    assert material["values"] == ["50, 1", "5, 2.4"]


def test_ratios_lie_on_a_logarithmic_axis_unless_there_is_a_zero(make):
    (axis,) = data(html(make({"on_off": [2, 10, 50]})))["axes"]
    assert axis["log"] and axis["label"] == "on/off ratio Gmax / Gmin"
    (axis,) = data(html(make({"sigma_c2c": [0, 0.5, 1, 2, 4]})))["axes"]
    assert not axis["log"] and axis["x"] is None and axis["numeric"]


def test_failed_lanes_are_listed_by_number_and_place(swept, make):
    failures = data(html(swept))["failures"]
    # sigma 3 is the last of three values, sorted or not; lane numbers are of the file
    assert failures["rows"] == [[27 + seed, 1, seed, 2, 0, 1] for seed in range(3)]
    ds = make({"levels": np.arange(2, 302)}, seeds=5, epochs=1)
    ds["status"][:] = 2
    found = data(html(ds.assign_attrs(errors=["no room"])))
    assert found["failures"]["count"] == 1500 and len(found["failures"]["rows"]) == 1000
    assert found["errors"] == ["no room"]


def test_one_axis_none_and_axes_of_one_value(make):
    assert len(data(html(make({"levels": [4, 8]})))["axes"]) == 1
    found = data(html(make({}, seeds=1, epochs=1)))
    assert found["axes"] == [] and words(found["cells"]["sd"]).tolist() == [0]
    found = data(html(make({"levels": [4, 8], "on_off": [10]})))
    assert found["fixed"] == [["on_off", "10"]] and len(found["axes"]) == 1


def test_a_baseline_that_is_not_finite_is_null(make):
    ds = make({"levels": [4, 8]})
    ds["baseline_accuracy"][:] = np.nan
    assert set(data(html(ds))["baseline"]["mean"]) == {None}


def test_no_word_of_a_result_can_end_its_script(make):
    ds = make({EVIL: [EVIL, "b"]}).assign_attrs(spec=EVIL + "<!--", notes=[EVIL], name=EVIL)
    page, clean = html(ds), html(make({"levels": [1, 2]}))
    assert data(page)["spec"] == EVIL + "<!--" and data(page)["axes"][0]["values"] == [EVIL, "b"]
    for tag in ("<script", "</script", "<img", "<!--"):
        assert page.lower().count(tag) == clean.lower().count(tag)


@pytest.mark.parametrize(("seeds", "epochs"), [(1, 100), (5, 20)])
def test_ten_thousand_lanes_fit_into_8_mb(make, device, seeds, epochs):
    values = {"levels": np.arange(2, 102), "sigma_c2c": np.linspace(0, 4, 20 // seeds)}
    values["on_off"] = [2, 5, 10, 20, 50]
    page = html(make(values, device, seeds=seeds, epochs=epochs))
    assert len(page.encode()) < 8e6
    shown = data(page)["stages"]["curves"]
    assert shown[0] == 1 and shown[-1] == epochs and len(shown) == min(epochs, 50)


def test_the_file_appears_whole_or_not_at_all(swept, tmp_path, monkeypatch):
    path = write(swept, tmp_path / "a.html")
    assert path.read_text("utf-8") == html(swept) and list(tmp_path.iterdir()) == [path]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match=r"b\.html: cannot be written: No space left"):
        write(swept, tmp_path / "b.html")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("report.pdf", "name that ends in .html"),
        ("none/report.html", "No such file or directory; give another --out"),
        ("file/report.html", "Not a directory; give another --out"),
    ],
)
def test_a_file_that_cannot_be_is_one_line(make, tmp_path, name, why):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as caught:
        write(make({}), tmp_path / name)
    assert why in str(caught.value) and "\n" not in str(caught.value)


def test_the_command(swept, tmp_path):
    store.write(swept, tmp_path / store.RESULTS)
    done = CliRunner().invoke(app, ["report", str(tmp_path)], catch_exceptions=False)
    assert done.output.split() == ["report:", str(tmp_path / "report.html")]
    page = (tmp_path / "report.html").read_text("utf-8")
    assert data(page)["cells"] == data(html(swept))["cells"]
    with pytest.raises(UserError, match="no results there"):
        CliRunner().invoke(app, ["report", str(tmp_path / "none")], catch_exceptions=False)


@pytest.fixture(scope="module")
def browser():
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no browser: none of {names}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Opens the report of a dataset offline; afterwards nothing has gone wrong in the page."""
    wrong, contexts = [], []

    def visit(ds, width=1280):
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: None if local(r.url) else wrong.append(r.url))
        page.goto(write(ds, tmp_path / "report.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert wrong == []


def local(url):
    return url.startswith(("file:", "data:", "blob:"))


def slide(page, axis, index):
    page.locator(f"#slider-{axis}").fill(str(index))


MAP = "document.getElementById('map').data[0].z"
HOVER = "#map .hoverlayer tspan.line"
PIXEL = """([i, j]) => {
  const map = document.getElementById("map"), { xaxis, yaxis } = map._fullLayout;
  map.scrollIntoView({ block: "center" });
  const box = map.getBoundingClientRect();
  return [box.x + xaxis._offset + xaxis.l2p(i), box.y + yaxis._offset + yaxis.l2p(j)];
}"""


def test_sliders_selects_and_hover_show_the_data(visit, swept):
    page, ds = visit(swept), swept.sortby("sigma_c2c")
    cells = 100 * final(ds).mean("seed")
    assert page.title() == "synthetic" and "best cell" in page.inner_text("#facts")
    choose = page.locator("#choose-x"), page.locator("#choose-y")
    choose[0].select_option("1")
    choose[1].select_option("0")
    for material in (0, 1):
        slide(page, 2, material)
        expected = cells.isel(material=material).transpose("sigma_c2c", "levels")
        assert np.allclose(page.evaluate(MAP), expected, atol=0.011)
    assert "material (on_off, nl_up) = 5, 2.4" in page.inner_text("#controls")

    place = page.evaluate(PIXEL, [0, 2])  # levels 4, sigma_c2c 3: failed
    page.mouse.move(*place)
    page.wait_for_selector(HOVER)
    lines = ["sigma_c2c 3", "levels 4", "material (on_off, nl_up) 5, 2.4"]
    lines += ["10.0 ± 0.0 %", "3 of 3 lanes failed"]
    assert page.locator(HOVER).all_text_contents() == lines
    page.mouse.move(*page.evaluate(PIXEL, [1, 1]))
    page.wait_for_selector("#map .hoverlayer :text('levels 64')")
    (hover,) = [line for line in page.locator(HOVER).all_text_contents() if "%" in line]
    cell = 100 * final(ds).isel(levels=1, sigma_c2c=1, material=1)
    said = [float(x) for x in hover.removesuffix(" %").split(" ± ")]
    assert said == pytest.approx([float(cell.mean()), float(cell.std(ddof=1))], abs=0.056)
    page.mouse.click(*page.evaluate(PIXEL, [0, 0]))  # chooses the cell
    assert page.input_value("#slider-1") == page.input_value("#slider-0") == "0"

    page.locator("#choose-line").select_option("1")
    line = page.evaluate("document.getElementById('line').data[0].y")
    assert np.allclose(line, cells.isel(sigma_c2c=0, material=1), atol=0.011)
    assert "float baseline" in page.locator("#line").text_content()
    assert page.locator("#failed tr").count() == 4


def test_hostile_names_are_text(visit, make, fail):
    ds = fail(make({EVIL: [EVIL, "<b>b</b>"], "levels": [4, 8]}, seeds=2), levels=4)
    more = {"name": EVIL, "spec": EVIL, "notes": [EVIL], "errors": [EVIL], "dataset": EVIL}
    page = visit(ds.assign_attrs(more | {"command": EVIL}))
    page.mouse.move(*page.evaluate(PIXEL, [1, 1]))
    page.wait_for_selector("#map .hoverlayer .hovertext")
    assert EVIL[:20] in page.locator("#map .hoverlayer").text_content()
    assert page.inner_text("h1") == page.inner_text("#spec") == EVIL
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("axes", [{"levels": [4, 8, 16]}, {}])
def test_sweeps_of_one_axis_and_none(visit, make, axes):
    page = visit(make(axes))
    page.wait_for_selector("#curves .main-svg")
    assert page.is_visible("#line-part") == page.is_visible("#effects-part") == bool(axes)
    assert not page.is_visible("#map-part") and not page.is_visible("#parallel-part")


SCALE = "(({ zmin, zmax }) => [zmin, zmax])(document.getElementById('map').data[0])"
INK = "document.getElementById('map').data[1].textfont.color"


def test_the_map_runs_from_the_guess_to_the_reference(visit, make):
    """Whatever luck does, a sweep that only guesses is dark all over, and says so first."""
    page = visit(make({"a": [1, 2], "b": [1, 2]}, lambda a, b: 0.07 + 0.02 * a + 0.02 * b))
    low, high = page.evaluate(SCALE)
    assert low <= 10 and high == pytest.approx(97.8, abs=0.5)
    assert set(page.evaluate(INK)) == {"white"}
    text = page.inner_text("header")
    assert 0 < text.index("All cells are at chance (10 %)") < text.index("best cell")
    bar = page.locator("#map .colorbar").text_content()
    assert "chance 10.0" in bar and "float baseline 97.8" in bar
    high = visit(make({"a": [1, 2], "b": [1, 2]}, lambda a, b: 0.95 + 0.01 * a))
    assert high.evaluate(SCALE)[0] > 90  # chance is far below: colours are spent on the data


def test_diagnostics_of_the_chosen_cell_are_shown(visit, make, device):
    ds = with_diagnostics(make({"levels": [4, 64], "sigma_c2c": [0.0, 3.0]}, device, seeds=2))
    page = visit(ds)
    page.wait_for_selector("#response .main-svg")
    slide(page, 0, 0)
    drawn = page.evaluate("document.getElementById('response').data[2].y")
    expected = ds["response"].sel(quantile=0.5, levels=4).isel(sigma_c2c=0).mean("seed")
    np.testing.assert_allclose(drawn, expected, rtol=1e-6)
    bars = page.evaluate("document.getElementById('pulses').data[1].y")
    np.testing.assert_allclose(bars, ds["pulses"].sel(levels=4).isel(sigma_c2c=0).mean("seed"))
    assert page.locator("#conductances .main-svg").count() > 0
    assert page.locator("#updates .main-svg").count() > 0


def test_without_diagnostics_there_is_no_word_of_them(visit, make):
    assert visit(make({"levels": [4, 8]})).is_hidden("#diagnostics-part")


def test_diagnostics_that_do_not_fit_are_left_out(make):
    ds = with_diagnostics(make({"levels": np.arange(2, 1202)}, seeds=1, epochs=1))
    found = data(html(ds))["diagnostics"]
    assert found["left_out"] and "update_pairs" not in found["columns"]
    assert "conductance_after" in found["columns"]


def with_confusion(ds, classes=("cat", "dog", "<b>")):
    counts = 1.0 + np.random.default_rng(2).integers(0, 9, (*ds["status"].shape, 3, 3))
    ds = ds.assign(confusion=((*ds["status"].dims, "label", "answer"), counts))
    return ds.assign_coords(label=list(classes), answer=list(classes))


def test_the_answers_of_the_chosen_cell_are_shown(visit, make, fail):
    ds = with_confusion(make({"levels": [4, 16, 64]}, seeds=2, epochs=1))
    page = visit(fail(fail(ds, 1, levels=16, seed=1), 1, levels=4))
    page.wait_for_selector("#confusion .main-svg")
    slide(page, 0, 1)  # one of whose lanes failed
    counts = ds["confusion"].isel(levels=1, seed=0)
    drawn = np.array(page.evaluate("document.getElementById('confusion').data[0].z"))
    np.testing.assert_allclose(drawn, 100 * counts / counts.sum("answer"), rtol=1e-6)
    names = page.locator("#confusion .ytick text").all_text_contents()
    assert names == ["cat", "dog", "<b>"] and page.is_hidden("#diagnostics-part")
    slide(page, 0, 0)
    assert page.is_hidden("#confusion") and "its lanes failed" in page.inner_text("#confusion-hint")


def test_without_confusion_there_is_no_word_of_it(visit, make):
    assert visit(with_diagnostics(make({"levels": [4, 8]}))).is_hidden("#confusion-part")


def test_every_name_of_an_axis_is_shown(visit, make):
    names = [f"device {i} of 2018" for i in range(26)]
    page = visit(make({"device": names, "levels": [4, 8]}, lambda device, levels: 0.5))
    for picture, axis in (("map", "ytick"), ("line", "xtick")):
        if axis == "xtick":
            page.locator("#choose-line").select_option("0")
        else:
            page.locator("#choose-y").select_option("0")
        drawn = page.locator(f"#{picture} .{axis} text").all_text_contents()
        assert set(names) <= set(drawn)
    page.wait_for_selector("#parallel .main-svg")
    shown = page.evaluate("document.getElementById('parallel').data[0].dimensions")
    assert any(list(one["ticktext"]) == names for one in shown if "ticktext" in one)


def test_the_command_is_the_one_that_was_typed(visit, make):
    ds = make({"levels": [4, 8]})
    page = visit(ds.assign_attrs(command="memjax sweep my.toml --set seeds=5"))
    assert page.inner_text("#command") == "memjax sweep my.toml --set seeds=5"
    other = visit(ds)  # made from Python
    assert other.is_hidden("#command") and "Made by" not in other.inner_text("#made")


def test_a_telephone_is_wide_enough(visit, swept):
    page = visit(swept, width=400)
    page.wait_for_selector("#effects .main-svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= 401
    assert page.locator("#parallel .parcoords").count() > 0 or page.is_hidden("#parallel")


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def small(levels, sigma_c2c):
    return 1e-5 * (5 + 50 / levels + 10 * sigma_c2c)


@pytest.fixture
def errors(study, fail):
    """Errors in volts, lower is better, without a reference; three of its cells failed."""
    axes = {"levels": [4, 8, 64], "sigma_c2c": [0.0, 1.0, 3.0]}
    ds = study(
        axes, lambda levels, sigma_c2c: 1e-5 * (5 + 50 / levels + 10 * sigma_c2c), noise=1e-6
    )
    return fail(ds, from_epoch=100.0, levels=4)


def test_a_study_is_kept_as_floats_in_its_units(errors):
    found, last = data(html(errors)), final(errors)
    np.testing.assert_allclose(floats(found["cells"]["mean"]), last.mean("seed").values.ravel())
    sd = last.std("seed", ddof=1).values.ravel()
    np.testing.assert_allclose(floats(found["cells"]["sd"]), sd, rtol=1e-6)
    assert found["best"] == last.mean("seed").values.argmin() == 6
    assert found["baseline"] is None
    about, stages = found["objective"], found["stages"]
    assert (about["unit"], about["lower"], about["guess"]) == ("V", True, 1.0)
    assert (stages["all"], stages["log"]) == ([1, 10, 100, 1000], True)


def test_older_results_have_a_report(swept):
    new, old = data(html(swept)), data(html(as_older(swept)))
    for part in ("objective", "cells", "curves", "baseline", "stages", "effects", "failures"):
        assert old[part] == new[part]


def test_a_study_is_shown_by_its_own_words(visit, errors):
    page = visit(errors)
    page.wait_for_selector("#curves .main-svg")
    facts = page.inner_text("#facts")
    assert "guess 1\u00a0V" in facts.replace(" V", "\u00a0V") and "baseline" not in facts
    assert "(lower is better) at levels 64, sigma_c2c 0" in facts
    assert page.inner_text("#map-title") == "Final rms error of the output of every cell"
    assert page.inner_text("#curves-title").endswith("against time since programming")
    assert "count at guess" in page.inner_text("#map-hint")
    assert page.input_value("#slider-0") == "2" and page.input_value("#slider-1") == "0"
    ds = final(errors).mean("seed")
    shown = np.array(page.evaluate(MAP))
    assert np.allclose(shown, ds) or np.allclose(shown, ds.T)
    line = page.evaluate("document.getElementById('line').layout.xaxis.title.text")
    assert line in ("number of conductance levels L", "cycle-to-cycle sd of one step (mean steps)")
    curves = page.evaluate("document.getElementById('curves').layout.xaxis")
    assert (curves["type"], curves["title"]["text"]) == ("log", "time since programming (s)")
    assert page.evaluate("document.getElementById('map').data[0].reversescale") is True
    assert not any(word in page.inner_text("body").lower() for word in ("accuracy", "epoch", "nan"))


def test_a_guess_far_away_is_said(visit, study):
    page = visit(study({"levels": [4, 8, 64], "sigma_c2c": [0.0, 1.0]}, small, noise=1e-6))
    page.wait_for_selector("#line .main-svg")
    assert "Guess, 1 V, lies far above." in page.inner_text("#line-hint")
    low, high = page.evaluate("document.getElementById('line').layout.yaxis.range")
    assert -1e-4 < low < high < 1e-3
