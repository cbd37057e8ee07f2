// Bundles every entry as one minified ES module, with the licences of what is inside and the digest of each file.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

const [target] = process.argv.slice(2);
const entries = readdirSync("entries").sort();
const { metafile } = await build({
  entryPoints: entries.map((name) => join("entries", name)),
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: ["chrome109", "firefox115", "safari16.4"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});

const packages = new Set(Object.keys(metafile.inputs).flatMap((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []));
const licences = [...packages].sort().map((name) => {
  const folder = join("node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? readFileSync(join(folder, file), "utf8") : "(The package carries no licence text of its own.)\n";
  return `== ${name} ${version} (${license})\n\n${text.replaceAll("\r\n", "\n").trim()}\n`;
});
writeFileSync(join(target, "LICENSES.txt"), licences.join("\n\n"));

const made = [...entries.map((name) => basename(name)), "LICENSES.txt"].sort();
const sums = made.map((name) => `${createHash("sha256").update(readFileSync(join(target, name))).digest("hex")}  ${name}\n`);
writeFileSync(join(target, "SHA256SUMS"), sums.join(""));
