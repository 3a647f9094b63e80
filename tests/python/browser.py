"""Opens reports in headless Chromium, as a reader would, and looks at what happens.

    browser.py BARTIZAN MODELS SCREENSHOTS

BARTIZAN is the binary, MODELS the folder of shipped models; pictures of all pages go to the folder SCREENSHOTS. Makes reports of a run over
images, of one over a table and of a volume, and checks in each: no console error and no request, charts are there, nothing is wider than
a phone, a dark page has other colours; and that filters, sorting, paging, the curve's keys and printing work. Needs selenium, Chromium and
ChromeDriver. The exit status is 1 if anything is wrong.
"""

import base64
import pathlib
import re
import subprocess
import sys
import tempfile

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

PAGE = 50
DESKTOP, PHONE = (1280, 900), (360, 740)
FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --hide-scrollbars --disable-dev-shm-usage")
HALF = """(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1)))
(assert (<= Y_0 Y_1))
"""
NET = "// two inputs and their positive parts\n2,2,2,2,\n2,2,2,\n0,\n-9,-9,\n9,9,\n0,0,0,\n1,1,1,\n1,0,\n0,1,\n0,\n0,\n1,0,\n0,1,\n0,\n0,\n"

failures = []


def expect(what, is_true):
    if not is_true:
        failures.append(what)
        print(f"WRONG  {what}")


def make_reports(binary, models, folder):
    """Returns paths of reports by name."""
    def run(*arguments):
        done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr}")

    digits, cancer = models / "digits_mlp", models / "cancer_mlp"
    paths = {name: folder / f"{name}.html" for name in ("images", "table", "volume")}
    run("radius", digits / "model.onnx", "--data", digits / "images.npy", "--labels", digits / "labels.npy", "--radius", 0.15,
        "--clip", "0,1", "--select", "0..150", "--timeout", 5, "--precision", 0.02, "--require", 0.2, "--report", paths["images"])
    run("certify", cancer / "model.onnx", "--data", cancer / "data.csv", "--radius", ",".join(["0.5"] * 30), "--mean", cancer / "mean.txt", "--std",
        cancer / "std.txt", "--timeout", 2, "--report", paths["table"])
    (folder / "net.nnet").write_text(NET)
    (folder / "half.vnnlib").write_text(HALF)
    run("volume", folder / "net.nnet", folder / "half.vnnlib", "--undecided", 0.02, "--report", paths["volume"])
    return paths


def browser(profile):
    options = webdriver.ChromeOptions()
    for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options)


class Page:
    """A report that is open."""

    def __init__(self, driver, path, screenshots):
        self.driver, self.path, self.screenshots = driver, path, screenshots

    def open(self, size=DESKTOP, scheme="light"):
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.get(self.path.as_uri())

    def js(self, script):
        return self.driver.execute_script(f"return {script}")

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def picture(self, name):
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
        (self.screenshots / f"{self.path.stem}-{name}.png").write_bytes(base64.b64decode(shot["data"]))


def check_looks(page):
    """What holds for every page: errors, requests, widths, colours."""
    colours = {}
    for scheme in ("light", "dark"):
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            page.open(size, scheme)
            colours[scheme] = page.js("getComputedStyle(document.body).backgroundColor")
            width, room = page.js("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            expect(f"{page.path.stem}, {name}: {width} pixels wide, {room} are there", width <= room)
            page.picture(f"{name}-{scheme}")
    expect(f"{page.path.stem}: a dark page has its own colours", colours["light"] != colours["dark"])
    errors = [entry for entry in page.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    expect(f"{page.path.stem}: console: {errors}", not errors)
    requests = [entry["message"] for entry in page.driver.get_log("performance") if "Network.requestWillBeSent\"" in entry["message"]]
    outside = [message for message in requests if '"url":"http' in message]
    expect(f"{page.path.stem}: requests: {outside}", not outside)


def rows(page):
    return page.js("[...document.querySelectorAll('#table tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))")


def check_table(page):
    """Filters, sorting and pages of the points."""
    page.open()
    count = int(page.one("#found").text.split()[0])
    expect("the first page is full", len(rows(page)) == min(count, PAGE))
    verdicts = Select(page.one("#by-verdict"))
    word = verdicts.options[1].text
    verdicts.select_by_index(1)
    kept = rows(page)
    expect(f"only {word} points are left", 0 < len(kept) < count and all(row[4] == word for row in kept))
    expect("the number of points found is told", page.one("#found").text.endswith(f"of {count} points"))
    verdicts.select_by_index(0)
    page.one("#by-text").send_keys("7")
    expect("indices are searched", rows(page) and all("7" in row[0] or "7" in row[8] for row in rows(page)))
    page.one("#by-text").clear()
    page.one("#by-text").send_keys(" ")
    for column, name in ((3, "confidence"), (7, "time")):
        button = page.all("#table th button")[column]
        button.send_keys(Keys.ENTER)
        rising = [float(row[column]) for row in rows(page)]
        button.send_keys(Keys.ENTER)
        falling = [float(row[column]) for row in rows(page)]
        expect(f"sorted by {name}", rising == sorted(rising) and falling == sorted(falling, reverse=True) and rising != falling)
    expect("the order is told", page.all("#table th")[7].get_attribute("aria-sort") == "descending")
    if count > PAGE:
        page.one("#next").click()
        expect("a second page", len(rows(page)) == min(count - PAGE, PAGE) and page.one("#place").text.startswith("Page 2"))
    page.all("#classes th button")[3].click()
    certified = [int(cell.text) for cell in page.all("#classes tbody td:nth-child(4)")]
    expect("classes are sorted", certified == sorted(certified))


def read_curve(page, name):
    """At every step the read-out claims no more than the data do at the radius that it shows."""
    box, steps = page.one(".plotbox"), page.js("JSON.parse(document.getElementById('curve-data').textContent)")
    box.send_keys(Keys.HOME)
    for place in range(len(steps)):
        text = page.one("#reading").text
        expect(f"the read-out names its unit: {text}", text.startswith(f"{name} "))
        radius, *shares = map(float, re.findall(r"\d[\d.e-]*", text))
        after = next((step for step in steps if step[0] * (1 + 1e-15) >= radius), [radius, 0, 0, 0, 0])
        before = next((step for step in reversed(steps) if step[0] <= radius * (1 + 1e-15)), [0, 1, 1, 1, 1])
        certified, possible, lower, upper = [share / 100 for share in shares]
        expect(f"step {place}, too much is said: {text}", certified <= after[1] + 1e-12 and lower <= after[3] + 1e-12)
        expect(f"step {place}, too little is left: {text}", possible >= before[2] - 1e-12 and upper >= before[4] - 1e-12)
        expect(f"step {place}, another radius: {text}", abs(radius - steps[place][0]) <= 1e-3 * radius)
        box.send_keys(Keys.ARROW_RIGHT)


def check_curve(page, name):
    page.open()
    box = page.one(".plotbox")
    expect("the curve is drawn", box.size["width"] > 300 and len(page.all(".plot .line")) == 2 and page.all(".plot .band"))
    box.send_keys(Keys.END)
    last = page.one("#reading").text
    box.send_keys(Keys.ARROW_LEFT)
    expect("arrow keys move along the curve", last.startswith(name) and page.one("#reading").text != last)
    read_curve(page, name)


def check_print(page):
    page.open()
    page.driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    closed = page.js("[...document.querySelectorAll('details')].filter(part => !part.open).length")
    expect("everything is open when it is printed", closed == 0)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = page.js("getComputedStyle(document.querySelector('.filters')).display")
    expect("filters are not printed", hidden == "none")
    pdf = page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
    content = base64.b64decode(pdf["data"])
    expect("it prints", content.startswith(b"%PDF") and len(content) > 10_000)
    (page.screenshots / f"{page.path.stem}.pdf").write_bytes(content)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def main():
    binary, models, screenshots = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as profile:
        paths = make_reports(binary, models, pathlib.Path(name))
        driver = browser(profile)
        try:
            pages = {name: Page(driver, path, screenshots) for name, path in paths.items()}
            for page in pages.values():
                check_looks(page)
            for name, unit in (("images", "Radius"), ("table", "Share of the radius")):
                check_table(pages[name])
                check_curve(pages[name], unit)
                check_print(pages[name])
            pages["images"].open()
            pictures = pages["images"].js("[...document.images].map(image => image.complete && image.naturalWidth)")
            expect("pictures of counterexamples", len(pictures) >= 3 and all(width == 8 for width in pictures))
            pages["table"].open()
            expect("tables of changes", len(pages["table"].all(".card table")) > 0)
            pages["volume"].open()
            expect("parts are drawn", all(path.get_attribute("d") for path in pages["volume"].all(".parts path")))
        finally:
            driver.quit()
    print(f"reports in a browser: {len(paths)} pages, {len(failures)} failures; pictures in {screenshots}")
    sys.exit(1 if failures else 0)


main()
