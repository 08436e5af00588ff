"use strict";
(() => {
  const key = (row, column) => {
    const cell = row.cells[column];
    return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim().toLowerCase();
  };
  const compare = (a, b) => {
    const ranks = [a, b].map((one) => (typeof one === "number" ? (Number.isNaN(one) ? 2 : 0) : 1));
    if (ranks[0] !== ranks[1]) return ranks[0] - ranks[1];
    if (ranks[0] === 2) return 0;
    return ranks[0] === 0 ? a - b : a.localeCompare(b, "en", { numeric: true });
  };
  const sortable = (table) => {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (![...body.rows].some((row) => row.cells[column].textContent.trim())) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].map((row) => [key(row, column), row]);
        rows.sort((a, b) => compare(a[0], b[0]) * (up ? 1 : -1));
        body.append(...rows.map((entry) => entry[1]));
      });
    });
  };
  const searchable = (box) => {
    const table = box.querySelector("table");
    const rows = [...table.tBodies[0].rows];
    const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const verdicts = new Map(rows.map((row) => [row, row.querySelector(".badge")?.textContent ?? ""]));
    const tools = document.createElement("div");
    tools.className = "tools";
    const field = (label, control) => {
      const wrap = document.createElement("label");
      wrap.append(label, control);
      control.setAttribute("aria-label", label);
      tools.append(wrap);
      return control;
    };
    const search = field("Search this table", document.createElement("input"));
    search.type = "search";
    const kinds = [...new Set(verdicts.values())].filter(Boolean).sort();
    let choice = null;
    if (kinds.length > 1) {
      choice = field("Show only", document.createElement("select"));
      choice.append(new Option("all", ""), ...kinds.map((kind) => new Option(kind, kind)));
    }
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    tools.append(said);
    const show = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const row of rows) {
        const text = texts.get(row);
        const fits = words.every((word) => text.includes(word)) &&
          (!choice || !choice.value || verdicts.get(row) === choice.value);
        row.hidden = !fits;
        count += fits;
      }
      said.textContent = `${count} of ${rows.length} shown`;
    };
    search.addEventListener("input", show);
    choice?.addEventListener("change", show);
    box.prepend(tools);
    show();
  };
  for (const box of document.querySelectorAll(".tool")) {
    sortable(box.querySelector("table"));
    searchable(box);
  }
  // Paper has no triangles to click, and no room for the figures of each of 200 ranks.
  const rowsOnPaper = 40;
  const closed = new Set();
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) {
      if (one.querySelectorAll("tbody tr").length > rowsOnPaper) continue;
      closed.add(one);
      one.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
    closed.clear();
  });
})();
