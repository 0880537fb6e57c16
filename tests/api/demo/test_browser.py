"""The site as a person uses it, in a real browser: mouse, keyboard, phone, and without script."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api.demo.conftest import CARS, Open
from tests.api.http.conftest import Running

CONTRAST = """() => {
  const parsed = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const [r, g, b, alpha = 1] = parsed(getComputedStyle(each).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *:not(svg *, svg, script, option)")) {
    const says = [...element.childNodes].some((each) => each.nodeType === 3 && each.data.trim());
    if (!says || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const pair = [light(parsed(style.color).slice(0, 3)), light(behind(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) poor.push(`${element.textContent}: ${ratio}`);
  }
  return poor;
}"""
NAMELESS = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((each) => each.type !== "hidden" && !each.hidden)
  .filter((each) => !(each.labels?.length || each.ariaLabel || each.textContent.trim()))
  .map((each) => each.outerHTML)"""


def total(page: Page) -> int:
    found = re.match(r"[\d,]+", page.locator("#count").inner_text())
    assert found is not None
    return int(found[0].replace(",", ""))


def is_at(page: Page, part: str) -> None:
    expect(page).to_have_url(re.compile(re.escape(part)))


def pictured(page: Page, path: Path) -> None:
    page.screenshot(path=path)
    assert path.stat().st_size > 20_000


def test_results_follow_what_is_typed(visit: Open, tmp_path: Path) -> None:
    page = visit()
    assert total(page) == CARS
    page.get_by_label("Search cars").press_sequentially("ford f-150", delay=15)
    is_at(page, "/?q=ford+f-150")
    expect(page.locator("#count")).to_contain_text("for “ford f-150”")
    expect(page.locator("mark").first).to_have_text("Ford")
    few = total(page)
    assert 0 < few < CARS
    pictured(page, tmp_path / "results.png")
    # Going back is to the page before the typing, with the field as it was then.
    page.go_back()
    expect(page.locator("#count")).to_have_text(f"{CARS} cars")
    expect(page.get_by_label("Search cars")).to_have_value("")
    page.go_forward()
    expect(page.get_by_label("Search cars")).to_have_value("ford f-150")
    assert page.reload() is not None
    assert total(page) == few


def test_completions_are_chosen_with_the_keyboard(visit: Open) -> None:
    page = visit()
    field = page.get_by_role("combobox", name="Search cars")
    field.press_sequentially("toy")
    options = page.get_by_role("option")
    expect(options.first).to_have_text("Toyota")
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "completion-0")
    expect(field).to_have_value("Toyota")
    field.press("ArrowUp")
    expect(field).to_have_value("toy")
    field.press("ArrowDown")
    field.press("Enter")
    is_at(page, "/?q=Toyota")
    expect(page.locator("#completions")).to_be_hidden()
    field.press_sequentially(" c")
    expect(options.first).to_be_visible()
    field.press("Escape")
    expect(page.locator("#completions")).to_be_hidden()
    expect(field).to_have_value("Toyota c")


def test_facets_narrow_with_the_keyboard_and_keep_the_focus(visit: Open) -> None:
    page = visit()
    box = page.get_by_role("checkbox", name=re.compile("^Toyota"))
    documents = int(
        re.findall(
            r"\d+", page.locator("label", has=page.get_by_text("Toyota", exact=True)).inner_text()
        )[0]
    )
    box.focus()
    box.press("Space")
    is_at(page, "make=Toyota")
    expect(page.locator("#count")).to_have_text(f"{documents} cars")
    assert page.evaluate("document.activeElement.value") == "Toyota"
    # Another value of the same field adds to it.
    page.get_by_role("checkbox", name=re.compile("^Honda")).check()
    is_at(page, "make=Toyota&make=Honda")
    page.wait_for_function(f"parseInt(document.querySelector('#count').textContent) > {documents}")
    page.get_by_role("link", name=re.compile("^Make: Toyota")).click()
    is_at(page, "/?make=Honda")
    expect(page.get_by_role("checkbox", name=re.compile("^Toyota"))).not_to_be_checked()
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#count")).to_have_text(f"{CARS} cars")


def test_a_range_is_set_with_the_keyboard_and_by_dragging_over_the_chart(visit: Open) -> None:
    page = visit()
    least = page.get_by_role("slider", name="Price, from")
    least.focus()
    for _ in range(3):
        least.press("ArrowRight")
    is_at(page, "price_min=")
    assert 0 < total(page) < CARS
    expect(page.locator("#bars-price rect.out").first).to_be_attached()
    assert (least.get_attribute("aria-valuetext") or "").startswith("$")
    least.press("Home")
    expect(page).not_to_have_url(re.compile("price_min"))
    chart = page.locator("fieldset[data-name=year] .chart svg")
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=3)
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=3)
    page.mouse.up()
    is_at(page, "year_min=")
    low, high = (int(page.locator(f"#year_{end}").input_value()) for end in ("min", "max"))
    assert 2000 < low < high < 2030
    expect(page.locator(".chips")).to_contain_text(f"Year {low} to {high}")
    for facts in page.locator(".card h3").all_inner_texts():
        assert low <= int(facts[:4]) <= high


def test_results_are_sorted_and_paged(visit: Open) -> None:
    page = visit("/?make=Ford")
    page.get_by_label("Sort").select_option("price")
    is_at(page, "sort=price")

    def prices() -> list[int]:
        shown = page.locator(".card .price").all_inner_texts()
        return [int(re.sub(r"\D", "", each)) for each in shown]

    page.wait_for_function(
        "() => { const p = [...document.querySelectorAll('.card .price')]"
        ".map((each) => +each.textContent.replace(/\\D/g, ''));"
        "return p.every((each, at) => !at || p[at - 1] <= each); }"
    )
    first = prices()
    page.get_by_role("link", name="Next").click()
    is_at(page, "page=2")
    expect(page.locator(".pages [aria-current=page]")).to_have_text(re.compile("2$"))
    assert prices()[0] >= first[-1]
    assert prices() == sorted(prices())


def test_an_answer_unfolds_how_it_was_found(visit: Open, tmp_path: Path) -> None:
    page = visit("/?q=civic&color=red")
    how = page.locator("#how")
    how.locator("summary").focus()
    how.locator("summary").press("Enter")
    expect(how.get_by_role("heading", name="Plans and prices")).to_be_visible()
    expect(how.locator("tr.chosen")).to_contain_text("all 4 shards can hold a match")
    expect(how.locator("tbody tr")).to_have_count(5)
    expect(how.locator(".times")).to_contain_text("search")
    expect(how.locator(".shards .on")).to_have_count(4)
    pictured(page, tmp_path / "how.png")


def test_a_listing_shows_similar_cars(visit: Open, tmp_path: Path) -> None:
    page = visit("/?q=ford+f-150")
    title = page.locator(".card h3").first.inner_text()
    page.locator(".card h3 a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.locator(".similar .card")).to_have_count(6)
    pictured(page, tmp_path / "listing.png")
    page.get_by_role("link", name="Back to the cars").click()
    is_at(page, "/?q=ford+f-150")


def test_two_editors_see_each_others_changes(visit: Open, tmp_path: Path) -> None:
    ours, theirs = visit("/edit/car-000007"), visit("/edit/car-000007")
    theirs.get_by_label("Price in dollars").fill("4321")
    theirs.get_by_label("City").fill("Springfield")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("status")).to_have_text("Your changes are saved.")

    ours.get_by_label("Price in dollars").fill("5555")
    ours.get_by_label("Mileage").fill("99999")
    ours.get_by_role("button", name="Save").click()
    expect(ours.get_by_role("alert")).to_contain_text("Somebody else saved this listing")
    price = ours.get_by_label("Price in dollars")
    expect(price).to_have_value("5555")
    expect(ours.locator(".disputed")).to_have_count(1)
    expect(ours.locator(".disputed")).to_contain_text("4321")
    # What only they changed is taken over, what only we changed stays.
    expect(ours.get_by_label("City")).to_have_value("Springfield")
    expect(ours.get_by_label("Mileage")).to_have_value("99999")
    pictured(ours, tmp_path / "conflict.png")
    assert ours.evaluate(CONTRAST) == []
    ours.get_by_role("button", name="Use theirs").press("Enter")
    expect(price).to_have_value("4321")
    ours.get_by_role("button", name="Use mine again").click()
    expect(price).to_have_value("5555")
    ours.get_by_role("button", name="Save").click()
    expect(ours.get_by_role("status")).to_have_text("Your changes are saved.")
    expect(ours.locator(".about .price")).to_have_text("$5,555")
    expect(ours.locator(".about")).to_contain_text("Springfield")


def test_a_listing_is_put_up_and_taken_off(visit: Open) -> None:
    page = visit("/new")
    page.get_by_role("button", name="Put it up").click()
    expect(page.get_by_role("alert")).to_contain_text("Not saved")
    for label, text in (
        ("Title", "A fine Yugo"),
        ("Make", "Yugo"),
        ("Model", "45"),
        ("Year", "1987"),
        ("Price in dollars", "$900"),
    ):
        page.get_by_label(label).fill(text)
    page.get_by_label("Colour", exact=True).select_option("yellow")
    page.get_by_role("button", name="Put it up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A fine Yugo")
    page.goto("/?q=yugo")
    assert total(page) == 1
    page.locator(".card a").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("The listing is gone.")).to_be_visible()
    page.goto("/?q=yugo")
    expect(page.get_by_text("No car here matches that.")).to_be_visible()


def test_script_in_a_listing_is_text(visit: Open) -> None:
    page = visit("/new")
    attack = '<img src=x onerror="window.owned=1"><script>window.owned=1</script>'
    for label in ("Title", "Make", "Model", "City", "Description", "Features"):
        page.get_by_label(label).fill(f"zzz {attack}")
    page.get_by_label("Year").fill("2000")
    page.get_by_label("Price in dollars").fill("1")
    page.get_by_role("button", name="Put it up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"zzz {attack}")
    assert page.evaluate("window.owned") is None
    page.goto("/")
    page.get_by_label("Search cars").press_sequentially("zzz")
    expect(page.get_by_role("option").first).to_contain_text("zzz")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card h3")).to_have_text(f"zzz {attack}")
    assert page.evaluate("window.owned") is None
    page.locator(".card a").click()
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_label("Description")).to_have_value(f"zzz {attack}")
    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0


def test_it_fits_a_phone(visit: Open, tmp_path: Path) -> None:
    for path in ("/?q=honda", "/listings/car-000003", "/edit/car-000003", "/console"):
        page = visit(path, width=390)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        pictured(page, tmp_path / f"phone{path.replace('/', '-').partition('?')[0]}.png")
    page = visit("/", width=390)
    filters = page.locator("#filters")
    expect(filters).to_be_hidden()
    page.locator(".filters-button").click()
    expect(filters).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("^Electric")).check()
    expect(page.locator("#chosen-count")).to_have_text("1")
    page.locator(".done-button").click()
    expect(filters).to_be_hidden()
    for facts in page.locator(".card .facts").all_inner_texts():
        assert "Electric" in facts


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_enough_contrast_and_everything_a_name(
    visit: Open, tmp_path: Path, dark: bool
) -> None:
    for path in (
        "/?q=ford&color=red",
        "/listings/car-000005",
        "/new",
        "/console",
        "/listings/none",
    ):
        page = visit(path, dark=dark)
        for details in page.locator("details").all():
            details.evaluate("(each) => each.open = true")
        assert page.evaluate(CONTRAST) == [], path
        assert page.evaluate(NAMELESS) == [], path
    pictured(visit("/?q=ford", dark=dark), tmp_path / "theme.png")


def test_the_theme_is_switched_and_remembered(visit: Open) -> None:
    page = visit()

    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = paper()
    page.get_by_role("button", name="Switch to dark colours").press("Enter")
    dark = paper()
    assert dark != light
    page.goto("/console")
    assert paper() == dark
    page.get_by_role("button", name="Switch to light colours").click()
    assert paper() == light


def test_the_keyboard_reaches_the_content_first(visit: Open) -> None:
    page = visit()

    def focused() -> Locator:
        return page.locator(":focus")

    page.keyboard.press("Tab")
    expect(focused()).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(focused()).to_have_attribute("id", "main")
    seen = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id"))
        assert (
            page.evaluate(
                "(({outlineStyle: o}) => o !== 'none')(getComputedStyle(document.activeElement))"
            )
            or page.locator(":focus").get_attribute("type") == "range"
        )
    assert {"price_min", "price_max", "year_min", "make-0"} <= seen


def test_everything_works_without_script(visit: Open) -> None:
    page = visit("/", script=False)
    page.get_by_label("Search cars").fill("honda")
    page.get_by_role("checkbox", name=re.compile("^Gas")).check()
    page.locator("#price_max").fill("20,000")
    page.get_by_role("button", name="Show these cars").click()
    is_at(page, "q=honda")
    assert 0 < total(page) < CARS
    expect(page.locator(".chips")).to_contain_text("Price up to $20,000")
    page.locator(".card a").first.click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Price in dollars").fill("777")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".about .price")).to_have_text("$777")
    page.goto("/console")
    expect(page.locator(".ring .slice")).to_have_count(4)


def test_the_console_is_live(visit: Open, server: Running, tmp_path: Path) -> None:
    page = visit("/console")
    expect(page.locator("#liveness")).to_have_text("Live")
    documents = page.locator(".tiles dd").first
    before = int(documents.inner_text().replace(",", ""))
    path = f"{server.url}/v1/collections/cars/documents"
    for number in range(3):
        listing = {"id": f"live-{number}", "title": "A car"}
        assert page.request.put(f"{path}/live-{number}", data=listing).ok
    expect(documents).to_have_text(f"{before + 3:,}")
    searches = page.locator(".tiles div", has_text="Searches so far").locator("dd")
    ran = int(searches.inner_text().replace(",", ""))
    page.request.post(f"{path.removesuffix('/documents')}/search", data={"q": "marigold"})
    expect(searches).to_have_text(f"{ran + 1:,}")
    expect(page.locator(".slow tbody tr").first).to_be_visible()
    expect(page.locator(".ring .slice")).to_have_count(4)
    pictured(page, tmp_path / "console.png")
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page.locator("#liveness")).to_have_text("Paused")
    assert page.request.delete(f"{path}/live-0").ok
    page.get_by_role("button", name="Go on").click()
    expect(documents).to_have_text(f"{before + 2:,}")
    for number in (1, 2):
        page.request.delete(f"{path}/live-{number}")


def test_the_page_of_the_api_may_change_things_without_a_key(visit: Open) -> None:
    asked = "fetch('/v1/collections/cars/rebuild', {method: 'POST'}).then((each) => each.status)"
    assert visit("/docs").evaluate(asked) == 200
