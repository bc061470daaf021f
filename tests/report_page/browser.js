// Measures the page in each frame and leaves the answer in the document, for --dump-dom to print.
onload = () => {
  const look = (frame) => {
    const view = frame.contentWindow, page = frame.contentDocument;
    const box = (element) => element.getBoundingClientRect();
    const all = (selector, from = page) => [...from.querySelectorAll(selector)];
    const figures = all("figure").map((figure) => {
      const svg = figure.querySelector("svg"), frame = box(svg);
      const outside = all("text", svg).filter((text) => {
        const b = box(text);
        return b.left < frame.left - 1 || b.right > frame.right + 1
          || b.top < frame.top - 1 || b.bottom > frame.bottom + 1;
      });
      const names = all(".name", svg).map(box);
      const touching = names.filter((a, i) => names.some((b, j) => i < j
        && a.left < b.right && b.left < a.right && a.top < b.bottom - 3 && b.top < a.bottom - 3));
      const sized = (element) => box(element).width > 0 && box(element).height > 0;
      const colour = (element) => view.getComputedStyle(element).fill;
      return {
        id: figure.id,
        width: frame.width,
        height: frame.height,
        series: all(".series", svg).length,
        marks: all(".series", svg).map((s) => all(".mark", s).filter(sized).length),
        colours: [...new Set(all(".mark", svg).map(colour))].length,
        text: svg.getScreenCTM().a * parseFloat(view.getComputedStyle(svg.querySelector("text")).fontSize),
        outside: outside.map((text) => text.textContent),
        touching: touching.length,
        label: svg.getAttribute("aria-label"),
      };
    });
    return {
      width: view.innerWidth,
      page_width: page.documentElement.scrollWidth,
      too_wide: all("body *").filter((e) => !e.closest(".scroll") && box(e).right > view.innerWidth + 1)
        .map((e) => e.tagName + "." + e.className),
      scrolls: all(".scroll").map((e) => [e.clientWidth, e.scrollWidth]),
      dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
      background: view.getComputedStyle(page.body).backgroundColor,
      ink: view.getComputedStyle(page.body).color,
      requests: view.performance.getEntriesByType("resource").map((entry) => entry.name),
      figures,
    };
  };
  const seen = [...document.querySelectorAll("iframe")].map(look);
  // No character that HTML would write in another way.
  const plain = JSON.stringify(seen).replace(/[<>&\u00a0]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  document.body.textContent = "MEASURED" + plain + "END";
};
