const escapeHtml = (text) =>
  String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export function page({ time, clock, instance, zone, release, version }) {
  const facts = { instance, zone, release, version };
  const rows = Object.entries(facts)
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join('');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${clock}: what is the time</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; justify-items: center; gap: 2rem;
    background: light-dark(#f6f4ef, #14161a); color: light-dark(#1d2530, #e9e6df); }
  h1 { margin: 0; font-size: clamp(4rem, 20vw, 12rem); font-weight: 200; letter-spacing: -.03em;
    font-variant-numeric: tabular-nums; }
  dl { margin: 0; display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; justify-content: center; }
  dt { font-size: .8rem; opacity: .6; }
  dd { margin: .2rem 0 0; font-size: 1.1rem; font-family: ui-monospace, monospace; }
</style>
<h1><time datetime="${time}">${clock}</time></h1>
<dl>${rows}</dl>
</html>
`;
}
