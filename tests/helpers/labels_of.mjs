// Reads rows as they travel from standard input, answers with what labels.js makes of each.
// No DOM exists here: the import alone shows that the module needs none.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const front = await import(pathToFileURL(process.argv[2]).href);
const { data, room } = JSON.parse(readFileSync(0, "utf8"));
const answers = data.rows.map((_, place) => {
  const laid = front.layout(data, place);
  const columns = front.columnsOf(laid, true);
  const widths = columns.map(([t]) => 20 + (t % 7) * 10);
  return {
    laid, columns, widths, counts: front.counts(laid), borders: front.borders(laid),
    lines: front.breakLines(laid, columns, widths, room), strip: front.strip(laid, 40),
  };
});
process.stdout.write(JSON.stringify(answers));
