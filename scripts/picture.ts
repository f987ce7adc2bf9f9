/**
 * Draws what a terminal showed as an SVG, for the README.
 *
 *   script -qec 'bin/belay deploy' /dev/null | node scripts/picture.ts 'belay deploy' > picture.svg
 */
import { text } from 'node:stream/consumers';

const COLUMN_PX = 8.4;
const LINE_PX = 19;
const MARGIN_PX = 22;
const TITLE_PX = 36;
const FEWEST_COLUMNS = 72;

const INKS: Readonly<Record<string, string>> = {
  '31': '#ff7b72',
  '32': '#7ee787',
  '33': '#e3b341',
  '36': '#79c0ff',
};

interface Ink {
  colour: string | null;
  bold: boolean;
  dim: boolean;
}

const plain: Ink = { colour: null, bold: false, dim: false };

/** The ink after one escape code of the kind `ESC [ n m`. */
function inkAfter(ink: Ink, code: string): Ink {
  if (code === '0' || code === '') return plain;
  if (code === '1') return { ...ink, bold: true };
  if (code === '2') return { ...ink, dim: true };
  if (code === '22') return { ...ink, bold: false, dim: false };
  if (code === '39') return { ...ink, colour: null };
  return INKS[code] ? { ...ink, colour: INKS[code] } : ink;
}

const escapeXml = (raw: string): string =>
  raw.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign);

/** One line as tspans; a carriage return begins it again, as a terminal would. */
function drawLine(line: string, y: number): { svg: string; columns: number } {
  const shown = line.split('\r').filter(Boolean).at(-1) ?? '';
  let ink = plain;
  let columns = 0;
  let svg = '';
  for (const piece of shown.split(/(\u001b\[[0-9;?]*[A-Za-z])/)) {
    const code = /^\u001b\[([0-9;?]*)([A-Za-z])$/.exec(piece);
    if (code) {
      if (code[2] === 'm') {
        for (const each of (code[1] ?? '').split(';')) ink = inkAfter(ink, each);
      }
      continue;
    }
    if (piece === '') continue;
    const style = [
      ink.colour ? `fill="${ink.colour}"` : '',
      ink.bold ? 'font-weight="bold"' : '',
      ink.dim ? 'opacity="0.6"' : '',
    ].join(' ');
    const x = MARGIN_PX + columns * COLUMN_PX;
    svg += `<tspan x="${x.toFixed(1)}" ${style}>${escapeXml(piece)}</tspan>`;
    columns += [...piece].length;
  }
  return { svg: `<text y="${y}" xml:space="preserve">${svg}</text>`, columns };
}

function draw(shown: string, title: string): string {
  const lines = shown.replace(/\r\n/g, '\n').trimEnd().split('\n');
  const drawn = lines.map((line, index) => drawLine(line, TITLE_PX + MARGIN_PX + index * LINE_PX));
  const columns = Math.max(FEWEST_COLUMNS, ...drawn.map((line) => line.columns));
  const width = Math.ceil(columns * COLUMN_PX + 2 * MARGIN_PX);
  const height = TITLE_PX + lines.length * LINE_PX + 2 * MARGIN_PX - LINE_PX / 2;
  const dots = ['#ff5f57', '#febc2e', '#28c840']
    .map((colour, index) => `<circle cx="${22 + index * 20}" cy="20" r="6" fill="${colour}"/>`)
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3">
<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>
${dots}<text x="${width / 2}" y="25" text-anchor="middle" opacity="0.6">${escapeXml(title)}</text>
${drawn.map(({ svg }) => svg).join('\n')}
</svg>
`;
}

process.stdout.write(draw(await text(process.stdin), process.argv[2] ?? 'belay'));
