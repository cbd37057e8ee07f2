// Asks the browser for a passkey (WebAuthn) and sends its answer as a field of the form that the button stands in.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

async function create(options) {
  const made = await navigator.credentials.create({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  } });
  return answer(made, { attestationObject: text(made.response.attestationObject) });
}

async function get(options) {
  const made = await navigator.credentials.get({ publicKey: {
    ...options, challenge: bytes(options.challenge), allowCredentials: named(options.allowCredentials),
  } });
  return answer(made, {
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
    ...(made.response.userHandle ? { userHandle: text(made.response.userHandle) } : {}),
  });
}

function answer(made, response) {
  return JSON.stringify({
    id: made.id, rawId: text(made.rawId), type: made.type,
    response: { clientDataJSON: text(made.response.clientDataJSON), ...response },
  });
}

/** The answer takes the place of a code that would be typed into the same field. */
function send(form, name, value) {
  for (const typed of form.querySelectorAll(`input[name="${name}"]`)) typed.disabled = true;
  const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
  form.append(field);
  form.requestSubmit();
}

for (const place of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const form = place.closest("form"), button = place.querySelector("button");
  const cancelled = place.querySelector("[data-cancelled]"), failed = place.querySelector("[data-failed]");
  place.hidden = false;
  button.addEventListener("click", async () => {
    cancelled.hidden = failed.hidden = true;
    const missing = [...form.elements].find((field) => field.name !== place.dataset.field && !field.checkValidity());
    if (missing) return missing.reportValidity();
    button.disabled = true;
    try {
      const ask = place.dataset.passkey === "create" ? create : get;
      send(form, place.dataset.field, await ask(JSON.parse(place.dataset.options)));
    } catch (error) {
      (["NotAllowedError", "AbortError"].includes(error.name) ? cancelled : failed).hidden = false;
      button.disabled = false;
    }
  });
}
