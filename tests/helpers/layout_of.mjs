// Reads cases from standard input, answers each with what the front end's pure functions make of it.
// No DOM exists here: the import alone shows that the module needs none.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { layout, counts, stageTargets, targetKind } = await import(pathToFileURL(process.argv[2]).href);
const cases = JSON.parse(readFileSync(0, "utf8"));
const answers = cases.map(({ data, options }) => {
  const plan = layout(data, options);
  const kinds = (substep) => plan.rows.map((row) => {
    const targets = stageTargets(row, substep);
    return targets.map((target, t) => targetKind(row, t, target, data));
  });
  return {
    ...plan,
    counts: Object.fromEntries(["2.3", "2.4", "2.5"].map((s) => [s, counts(plan, data, s)])),
    targetKinds: { "2.4": kinds("2.4"), "2.5": kinds("2.5") },
  };
});
process.stdout.write(JSON.stringify(answers));
