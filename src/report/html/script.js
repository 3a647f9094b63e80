"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const parsed = (id) => $(id) && JSON.parse($(id).textContent);
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const digits = (value, most) => value === null ? "–" : String(Number(value.toPrecision(most)));

  // Headers become buttons that sort; `order(column, isUp)` does it.
  const sortable = (table, order) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = element("button", head.textContent);
      button.type = "button";
      head.textContent = "";
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const isUp = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
        order(column, isUp);
      });
    });
  };

  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -1 : 1;
  };
  const key = (cell) => {
    const text = cell.dataset.key ?? cell.textContent.trim();
    return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
  };
  document.querySelectorAll("table[data-sort]").forEach((table) => {
    const body = table.tBodies[0];
    sortable(table, (column, isUp) => {
      const rows = [...body.rows].map((row) => [key(row.cells[column]), row]);
      rows.sort((a, b) => isUp ? compare(a[0], b[0]) : compare(b[0], a[0]));
      body.append(...rows.map((row) => row[1]));
    });
  });

  const points = parsed("points-data");
  if (points) {
    const word = (i) => points.words[points.verdict[i]];
    const reason = (i) => points.reason[i] === null ? "" : points.reasons[points.reason[i]];
    const name = (label) => points.names && points.names[label] ? `${label} (${points.names[label]})` : String(label);
    const all = points.index.map((_, i) => i);
    const columns = [
      (i) => points.index[i], (i) => points.label[i], (i) => points.predicted[i], (i) => points.confidence[i], word,
      (i) => points.certified[i], (i) => points.falsified[i], (i) => points.time[i], (i) => reason(i) || null,
    ];
    let [sorted, chosen, page] = [all, all, 0];
    const fields = { verdict: $("by-verdict"), label: $("by-label"), text: $("by-text") };

    const row = (i) => {
      const made = element("tr");
      const verdict = element("td");
      verdict.append(element("span", word(i), `verdict v-${word(i)}`));
      made.append(
        element("td", points.index[i], "r"), element("td", name(points.label[i])), element("td", name(points.predicted[i])),
        element("td", points.confidence[i].toFixed(4), "r"), verdict, element("td", digits(points.certified[i], 4), "r"),
        element("td", digits(points.falsified[i], 4), "r"), element("td", digits(points.time[i], 4), "r"),
        element("td", reason(i), "reason"),
      );
      return made;
    };
    const show = () => {
      const pages = Math.max(1, Math.ceil(chosen.length / points.page));
      page = Math.min(page, pages - 1);
      const rows = chosen.slice(page * points.page, (page + 1) * points.page).map(row);
      $("table").tBodies[0].replaceChildren(...rows);
      $("found").textContent = chosen.length === all.length
        ? `${all.length} points` : `${chosen.length} of ${all.length} points`;
      $("place").textContent = `Page ${page + 1} of ${pages}`;
      $("previous").disabled = page === 0;
      $("next").disabled = page === pages - 1;
      document.querySelector(".pager").hidden = pages === 1;
    };
    const filter = () => {
      const text = fields.text.value.trim().toLowerCase();
      chosen = sorted.filter((i) =>
        (fields.verdict.value === "" || word(i) === fields.verdict.value)
        && (fields.label.value === "" || String(points.label[i]) === fields.label.value)
        && (text === "" || String(points.index[i]).includes(text) || reason(i).toLowerCase().includes(text)));
      page = 0;
      show();
    };
    const options = (field, values, shown) => values.forEach((value) => {
      const option = element("option", shown(value));
      option.value = value;
      field.append(option);
    });
    options(fields.verdict, points.words, (word) => word);
    options(fields.label, [...new Set(points.label)].sort((a, b) => a - b), name);
    Object.values(fields).forEach((field) => ["input", "change"].forEach((event) => field.addEventListener(event, filter)));
    $("previous").addEventListener("click", () => { page -= 1; show(); });
    $("next").addEventListener("click", () => { page += 1; show(); });
    sortable($("table"), (column, isUp) => {
      const of = columns[column];
      // What a point does not have comes last either way.
      const order = (a, b) => {
        const [x, y] = [of(a), of(b)];
        return (x === null || y === null || isUp ? compare(x, y) : compare(y, x)) || a - b;
      };
      sorted = all.slice().sort(order);
      filter();
    });
    document.querySelectorAll(".filters").forEach((part) => { part.hidden = false; });
    show();
  }

  const steps = parsed("curve-data");
  if (steps) {
    const box = document.querySelector(".plotbox");
    const cursor = box.querySelector(".cursor");
    const most = steps[steps.length - 1][0] || 1;
    const down = (share) => `${(Math.floor(1000 * share) / 10).toFixed(1)} %`;
    const up = (share) => `${(Math.ceil(1000 * share) / 10).toFixed(1)} %`;
    const axis = document.querySelector(".xname").textContent;
    const name = axis.charAt(0).toUpperCase() + axis.slice(1);
    const isAtMost = (radius, other) => radius <= other * (1 + Number.EPSILON);
    // Four significant digits, rounded down, as in the table.
    const shortened = (radius) => {
      const near = Number(radius.toPrecision(4));
      const unit = 10 ** (Math.floor(Math.log10(radius)) - 3);
      return isAtMost(near, radius) ? near : Number((near - unit).toPrecision(4));
    };
    let place = -1;
    // The shares at a radius between two steps: the lower ones are those of the step after, the upper ones those of the step before.
    // They are those at the radius that is shown.
    const read = (pointed) => {
      const radius = shortened(pointed);
      const after = steps.find((step) => isAtMost(radius, step[0])) ?? [radius, 0, 0, 0, 0];
      const before = steps.filter((step) => isAtMost(step[0], radius)).pop() ?? [0, 1, 1, 1, 1];
      cursor.setAttribute("d", `M${1000 * radius / most} 0V500`);
      const text = `${name} ${radius}: ${down(after[1])} of the points certified, ${up(before[2])} not falsified; `
        + `between ${down(after[3])} and ${up(before[4])} of inputs`;
      $("reading").textContent = text;
      box.setAttribute("aria-valuetext", text);
    };
    box.setAttribute("aria-valuemax", String(steps.length - 1));
    box.addEventListener("pointermove", (event) => {
      const frame = box.getBoundingClientRect();
      read(most * Math.min(1, Math.max(0, (event.clientX - frame.left) / frame.width)));
    });
    box.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, Home: -Infinity, End: Infinity }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      place = Math.min(steps.length - 1, Math.max(0, place + move));
      box.setAttribute("aria-valuenow", String(place));
      read(steps[place][0]);
    });
  }

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
})();
