// QR codes of what must not reach a server: the encrypted identity on a recovery sheet.
export { encode } from "uqr";
