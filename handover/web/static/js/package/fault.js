/** What can be wrong, by the codes of docs/package-format.md; `about` names the chunk or the file. */
export class Fault extends Error {
  constructor(code, message, about = "") {
    super(message);
    this.code = code;
    this.about = String(about);
  }
}
