"use strict";
(() => {
  const shown = JSON.parse(document.getElementById("shown").textContent);
  const DARKEST = 0.12; // as the linter has it: what dark modes make of white
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const chosen = name => all(`input[name=${name}]:checked`).map(input => input.value);

  // The mail as a client in light or in dark mode reads it, with its pictures or with what stands in for them.
  const mail = (dark, pictures) => {
    const holds = "(min-width:0px)", fails = "(max-width:0px)";
    const scheme = dark ? "dark" : "light";
    const html = shown.html
      .replace(/\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi, (_, wanted) => wanted.toLowerCase() === scheme ? holds : fails)
      .replace(/(color-scheme\s*:\s*)light dark/gi, `$1${scheme}`)
      .replace(/(<meta name="color-scheme" content=")[^"]*/gi, `$1${scheme}`)
      .replace(/(["'(])cid:([^"')]+)/g, (_, quote, cid) => quote + (pictures && Object.hasOwn(shown.pictures, cid) ? shown.pictures[cid] : "data:,"));
    const blocked = "<style>img{outline:1px dashed #8A96A3;outline-offset:-1px;min-height:40px}</style>";
    return html.replace(/<head[^>]*>/i, head => `${head}<base target="_blank">${pictures ? "" : blocked}`);
  };

  const parsed = text => (/^rgba?\(([^)]*)\)$/.exec(text)?.[1] ?? "0,0,0,0").split(",").map(Number);
  const lightness = ([red, green, blue]) => (Math.max(red, green, blue) + Math.min(red, green, blue)) / 510;
  const turned = ([red, green, blue, alpha = 1]) => {
    const light = lightness([red, green, blue]), wanted = 1 - (1 - DARKEST) * light;
    const room = 1 - Math.abs(2 * light - 1), wide = 1 - Math.abs(2 * wanted - 1);
    const one = value => Math.round(255 * (wanted + (room ? (value / 255 - light) * wide / room : 0)));
    return `rgba(${one(red)},${one(green)},${one(blue)},${alpha})`;
  };

  // What a client does that has no rules of the mail for its dark mode.
  const turn = (page, everything) => {
    const changes = [];
    for (const element of all("html, body, body *", page)) {
      const style = page.defaultView.getComputedStyle(element);
      const ink = parsed(style.color), behind = parsed(style.backgroundColor), line = parsed(style.borderTopColor);
      if (everything || lightness(ink) < 0.5) changes.push([element, "color", turned(ink)]);
      if (behind[3] !== 0 && (everything || lightness(behind) >= 0.5)) changes.push([element, "background-color", turned(behind)]);
      if (everything || lightness(line) >= 0.5) changes.push([element, "border-color", turned(line)]);
    }
    for (const [element, name, value] of changes) element.style.setProperty(name, value, "important");
    if (parsed(page.defaultView.getComputedStyle(page.documentElement).backgroundColor)[3] === 0)
      page.documentElement.style.backgroundColor = turned([255, 255, 255]);
  };

  const fit = () => {
    const whole = chosen("height")[0] === "whole";
    for (const frame of all("iframe")) {
      const page = frame.contentDocument;
      frame.style.height = whole && page?.body ? `${page.documentElement.scrollHeight}px` : "";
    }
  };

  const show = () => {
    const schemes = chosen("scheme"), widths = chosen("width"), pictures = chosen("pictures")[0] === "on";
    for (const row of all(".row")) {
      const scheme = row.dataset.scheme;
      row.hidden = !schemes.includes(scheme);
      for (const figure of all("figure", row)) {
        figure.hidden = !widths.includes(figure.dataset.width);
        const frame = figure.querySelector("iframe"), wanted = `${pictures}`;
        if (row.hidden || figure.hidden || frame.dataset.shows === wanted) continue;
        frame.dataset.shows = wanted;
        frame.onload = () => {
          if (scheme === "darkened" || scheme === "turned") turn(frame.contentDocument, scheme === "turned");
          fit();
        };
        frame.srcdoc = mail(scheme === "dark", pictures);
      }
    }
    fit();
  };

  const tabs = all("[role=tab]");
  const select = tab => {
    for (const one of tabs) {
      const selected = one === tab;
      one.setAttribute("aria-selected", selected);
      one.tabIndex = selected ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !selected;
    }
    if (tab.id === "tab-mail") fit();
  };
  const steps = {ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length};
  for (const tab of tabs) {
    tab.addEventListener("click", () => { select(tab); scrollTo(0, 0); });
    tab.addEventListener("keydown", event => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      const at = tabs.indexOf(tab), step = steps[event.key];
      const next = Math.abs(step) === 1 ? (at + step + tabs.length) % tabs.length : step < 0 ? 0 : tabs.length - 1;
      select(tabs[next]);
      tabs[next].focus();
    });
  }
  for (const input of all(".tools input")) input.addEventListener("change", show);
  const named = tabs.find(tab => tab.id === `tab-${location.hash.slice(1)}`);
  if (named) select(named);
  show();
})();
