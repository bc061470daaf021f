"use strict";
(() => {
  const folds = [...document.querySelectorAll("details.fold")];
  const sheet = document.querySelector(".sheet");
  const lineOf = (event) => event.target.closest?.(".line[data-with]");

  // A line lights up with its partner, under the pointer and under the keyboard.
  let lit = [];
  const light = (line) => {
    for (const other of lit) other.classList.remove("lit");
    lit = line ? document.querySelectorAll(`[data-with="${line.dataset.with}"]`) : [];
    for (const other of lit) other.classList.add("lit");
  };
  sheet.addEventListener("pointerover", (event) => light(lineOf(event)));
  sheet.addEventListener("pointerleave", () => light(null));
  sheet.addEventListener("focusin", (event) => light(lineOf(event)));
  sheet.addEventListener("focusout", () => light(null));

  document.addEventListener("keydown", (event) => {
    if (event.key !== "o" || event.ctrlKey || event.altKey || event.metaKey) return;
    const open = folds.some((fold) => !fold.open);
    for (const fold of folds) fold.open = open;
  });

  // A link to a line in a fold opens that.
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
