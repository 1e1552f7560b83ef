"use strict";
(() => {
  const KEPT = "peering-api-token";
  const answer = document.getElementById("answer");
  const ask = document.getElementById("ask");
  const token = document.getElementById("token");
  const keep = document.getElementById("keep");
  const content = document.getElementById("content");

  const pre = (name, text) => {
    const out = document.createElement("pre");
    out.className = name;
    // Addresses become links; everything else stays the text it is.
    text.split(/("https?:\/\/[^"\\\s]+")/).forEach((piece, i) => {
      if (i % 2 === 0) {
        out.append(piece);
        return;
      }
      const link = document.createElement("a");
      link.href = link.textContent = piece.slice(1, -1);
      link.rel = "noreferrer";
      out.append('"', link, '"');
    });
    return out;
  };

  const show = (head, body, good) => {
    answer.replaceChildren(pre("head", head), pre(good ? "body" : "body bad", body));
    answer.scrollIntoView({ block: "nearest" });
  };

  const remember = () => {
    if (keep.checked) {
      sessionStorage.setItem(KEPT, token.value.trim());
    } else {
      sessionStorage.removeItem(KEPT);
    }
  };

  const send = async (method, body) => {
    remember();
    const headers = { Accept: "application/json; indent=4" };
    if (token.value.trim()) {
      headers.Authorization = "Token " + token.value.trim();
    }
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
    }
    const query = new URLSearchParams(location.search);
    query.delete("format");
    const path = location.pathname + (String(query) ? "?" + query : "");
    try {
      const said = await fetch(path, { method, headers, body, redirect: "manual" });
      const lines = [`${method} ${path}`, `HTTP ${said.status} ${said.statusText}`];
      said.headers.forEach((value, name) => lines.push(`${name}: ${value}`));
      show(lines.join("\n"), await said.text(), said.ok);
    } catch (error) {
      show(`${method} ${path}`, String(error), false);
    }
  };

  document.querySelectorAll("button[data-method]").forEach((button) => {
    button.addEventListener("click", () => send(button.dataset.method));
  });

  ask.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = document.getElementById("method");
    if (!chosen) {
      send("GET");
      return;
    }
    const method = chosen.value;
    const text = content.value.trim();
    if (text) {
      try {
        JSON.parse(text);
      } catch (error) {
        show(`${method} ${location.pathname}`, "The content is not JSON: " + error.message, false);
        content.focus();
        return;
      }
    }
    // A row is removed without content; of a list, only what the content names is.
    if (method === "DELETE") {
      const list = text.startsWith("[");
      if (confirm(list ? "Remove what the content names?" : "Remove this?")) {
        send(method, list ? text : undefined);
      }
      return;
    }
    send(method, text || undefined);
  });

  const kept = sessionStorage.getItem(KEPT);
  if (kept) {
    token.value = kept;
    keep.checked = true;
    // A page is fetched without the token; what it could not show is asked for again.
    if (document.body.dataset.status === "403") {
      send("GET");
    }
  }
})();
