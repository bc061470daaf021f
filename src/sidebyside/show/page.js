"use strict";
(() => {
  const lines = [...document.querySelectorAll(".line[data-with]")];
  const sheet = document.querySelector(".sheet");
  const folds = [...document.querySelectorAll("details.fold")];
  const together = new Map();
  for (const line of lines) {
    for (const key of line.dataset.with.split(" ")) {
      if (!together.has(key)) together.set(key, []);
      together.get(key).push(line);
    }
  }
  const partners = (line) =>
    line.dataset.with.split(" ").flatMap((key) => together.get(key));

  let lit = [];
  const light = (line) => {
    for (const other of lit) other.classList.remove("lit");
    lit = line ? partners(line) : [];
    for (const other of lit) other.classList.add("lit");
  };
  const lineOf = (event) => event.target.closest?.(".line[data-with]");
  sheet.addEventListener("pointerover", (event) => light(lineOf(event)));
  sheet.addEventListener("pointerleave", () => light(null));
  sheet.addEventListener("focusin", (event) => light(lineOf(event)));
  sheet.addEventListener("focusout", () => light(null));

  // One stop for the Tab key, arrows from there on: a page has hundreds of lines.
  const number = (line) => line.querySelector(".number");
  const stops = lines.map(number);
  let stop = stops[0];
  for (const link of document.querySelectorAll(".number")) link.tabIndex = -1;
  if (stop) stop.tabIndex = 0;
  const go = (line) => {
    if (!line) return;
    line.closest("details")?.setAttribute("open", "");
    if (stop) stop.tabIndex = -1;
    stop = number(line);
    stop.tabIndex = 0;
    stop.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  };
  const side = (line) => (line.classList.contains("go") ? "go" : "rust");
  const step = (line, by) => {
    const column = lines.filter((other) => side(other) === side(line));
    return column[column.indexOf(line) + by];
  };
  const across = (line) => partners(line).find((other) => side(other) !== side(line));
  const moves = {
    ArrowDown: (line) => step(line, 1), j: (line) => step(line, 1),
    ArrowUp: (line) => step(line, -1), k: (line) => step(line, -1),
    ArrowRight: (line) => (side(line) === "go" ? across(line) : null),
    ArrowLeft: (line) => (side(line) === "rust" ? across(line) : null),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "o") {
      const open = folds.some((fold) => !fold.open);
      for (const fold of folds) fold.open = open;
      return;
    }
    const line = document.activeElement?.closest(".line[data-with]");
    const move = moves[event.key];
    if (!move || (!line && event.key.length > 1)) return;
    event.preventDefault();
    go(line ? move(line) : lines[0]);
  });

  const land = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target?.closest("details");
    if (!fold || fold.open) return;
    fold.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", land);
  land();
})();
