// What the pages for key and package share: texts, calls with the session's token, and the code that some acts ask for.

export const element = (id) => document.getElementById(id);

/** The page's sentence for a code; `{name}` in it is replaced. */
export function say(code, values = {}) {
  const found = element("texts").content.querySelector(`[data-code="${CSS.escape(code)}"]`);
  const text = found ?? element("texts").content.querySelector('[data-code="unexpected"]');
  return fill(text.textContent, found ? values : { about: values.about || code });
}

export const fill = (text, values) => text.replace(/\{([a-z]+)\}/g, (whole, name) => values[name] ?? whole);

/** What a fault or a refusal says to the reader. */
export const explain = (error) => say(error.code ?? "unexpected", { about: error.about || error.message });

/** Posts JSON; asks for a one-time code and goes on where an act takes a fresh one. Throws what the server refused. */
export async function post(path, body) {
  return withFreshCode(() => send(path, body));
}

/** Does something again after a code was given, when the first try said that one is needed. */
export async function withFreshCode(act) {
  try {
    return await act();
  } catch (error) {
    if (error.code !== "second_factor_required") throw error;
    await freshCode();
    return act();
  }
}

export async function send(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": document.body.dataset.csrf ?? "" },
      body: JSON.stringify(body),
    });
  } catch {
    throw Object.assign(new Error("offline"), { code: "network" });
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(value.detail ?? answer.statusText), { code: value.code ?? "unexpected", about: value.detail });
  return value;
}

async function freshCode() {
  const form = element("code-form");
  const field = element("f-code");
  form.hidden = false;
  field.focus();
  await new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      const kind = field.value.length === 6 ? "totp" : "telephone_code";
      try {
        const made = await send("/api/v1/sessions/current/second-factor", { [kind]: field.value });
        document.body.dataset.csrf = made.csrf_token;
        resolve();
      } catch (error) {
        field.setCustomValidity(explain(error));
        field.reportValidity();
        field.oninput = () => field.setCustomValidity("");
      }
    };
  });
  form.hidden = true;
  field.value = "";
}

/** A number of bytes as people say it, as the server's pages do. */
export function size(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(count, 1)) / 3));
  const value = count / 1000 ** step;
  return `${step && value < 100 ? value.toFixed(1) : value.toFixed(0)} ${units[step]}`;
}

export const number = (value) => value.toLocaleString(document.documentElement.lang);

/** Offers a Blob under a name through the browser's own downloads. */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
}

element("insecure").hidden = isSecureContext;
