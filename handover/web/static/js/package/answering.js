// The worker's half of `Asked`: answers questions, and turns whatever is thrown into a code that the page explains.
import { Fault } from "./fault.js";

export function answering(handlers) {
  addEventListener("message", async ({ data }) => {
    if (!(data.do in handlers)) return;
    try {
      postMessage({ answerTo: data.id, value: await handlers[data.do](data) });
    } catch (error) {
      const known = error instanceof Fault;
      postMessage({ answerTo: data.id, fault: { message: String(error?.message ?? error), code: known ? error.code : "unexpected", about: known ? error.about : "" } });
    }
  });
}
