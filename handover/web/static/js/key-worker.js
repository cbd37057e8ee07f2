// Makes a key and proves it. The private key lives in this worker alone and ends with the page; what leaves it is
// encrypted with the passphrase, as `age -p` writes it, or public.
import { Decrypter, Encrypter, armor, generateHybridIdentity, generateX25519Identity, hmac, identityToRecipient, sha256 } from "../vendor/age.js";
import { answering } from "./package/answering.js";
import { fromHex, toBytes, toHex } from "./package/bytes.js";
import { Fault } from "./package/fault.js";

const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

let made = "";
let tested = "";

answering({
  /** A new key. Returns the public key, and the identity file encrypted with the passphrase. */
  async make({ postQuantum, passphrase, reference }) {
    const identity = await (postQuantum ? generateHybridIdentity() : generateX25519Identity());
    made = await identityToRecipient(identity);
    tested = "";
    const encrypter = new Encrypter();
    encrypter.setPassphrase(passphrase);
    // Without the public key, which follows from the private one: a post-quantum one would not fit the code on the sheet.
    const file = await encrypter.encrypt(`# created: ${new Date().toISOString().slice(0, 19)}Z\n# case: ${reference}\n${identity}\n`);
    return { recipient: made, file: armor.encode(file) };
  },

  /** The test decryption: the saved file and the passphrase must give the key back. */
  async test({ text, passphrase }) {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    let plain;
    try {
      plain = await decrypter.decrypt(armor.decode(text), "text");
    } catch {
      throw new Fault("passphrase_wrong", "the passphrase does not open this file");
    }
    const identity = plain.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"))?.trim() ?? "";
    const recipient = identity ? await identityToRecipient(identity) : "";
    if (made && recipient !== made) throw new Fault("other_key", "the file holds another key");
    tested = identity;
    return recipient;
  },

  /** HMAC-SHA-256(secret, context) in hex, out of a challenge that only this key opens. */
  async answer({ challenge, context, recipient }) {
    if ((await identityToRecipient(tested)) !== recipient) throw new Fault("other_key", "the file holds another key");
    const decrypter = new Decrypter();
    decrypter.addIdentity(tested);
    const opened = JSON.parse(await decrypter.decrypt(armor.decode(challenge), "text"));
    const about = JSON.parse(opened.context);
    if (opened.context !== context || about.key !== toHex(sha256(toBytes(recipient)))) throw new Fault("other_challenge", "the challenge is about something else");
    return toHex(hmac(sha256, fromHex(opened.secret), toBytes(context)));
  },

  /** Twenty characters of 32: 100 bits. */
  async suggest() {
    const random = crypto.getRandomValues(new Uint8Array(20));
    return Array.from(random, (byte) => ALPHABET[byte & 31]).join("").replace(/.{4}(?=.)/g, "$&-");
  },
});
