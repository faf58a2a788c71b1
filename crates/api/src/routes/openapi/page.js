"use strict";

// Everything from the document is put in as text, never as markup.
function make(name, given, ...parts) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given || {})) element.setAttribute(key, value);
  for (const part of parts.flat(Infinity)) if (part != null) element.append(part);
  return element;
}

const byId = (id) => document.getElementById(id);
const methods = ["get", "post", "put", "delete", "patch"];

function nameOf(schema) {
  return schema.$ref ? schema.$ref.split("/").pop() : null;
}

// The type in a few words: `list of EngineView`, `integer 0–2000`, `string or null`.
function typeOf(schema) {
  if (!schema || !Object.keys(schema).length) return "anything";
  if (schema.$ref) return nameOf(schema);
  const choices = schema.oneOf || schema.anyOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" and ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const types = [].concat(schema.type || "anything").map((type) => {
    if (type === "array") return "list of " + typeOf(schema.items);
    const values = schema.additionalProperties;
    if (type === "object" && values && typeof values === "object") return "map of " + typeOf(values);
    return type;
  });
  const { minimum, maximum } = schema;
  const range = minimum == null && maximum == null ? "" : ` ${minimum ?? ""}–${maximum ?? ""}`;
  return types.join(" or ") + range + (schema.format && !range ? ` (${schema.format})` : "");
}

function usedBy(schema) {
  if (!schema || typeof schema !== "object") return [];
  if (schema.$ref) return [nameOf(schema)];
  return Object.values(schema).flatMap((part) => (typeof part === "object" ? usedBy(part) : []));
}

// The fields of every named schema that a schema uses, each opened when asked for.
function schemaView(spec, schema, open, seen = []) {
  const names = [...new Set(usedBy(schema))].filter((name) => !seen.includes(name));
  return make("div", { class: "schema" }, names.map((name) => {
    const known = spec.components.schemas[name];
    const box = make("details", open ? { open: "" } : {}, make("summary", {}, name));
    const fill = () => {
      if (box.childElementCount > 1) return;
      const required = known.required || [];
      const rows = Object.entries(known.properties || {}).map(([field, part]) => make("tr", {},
        make("td", {}, make("code", {}, field), required.includes(field) ? " *" : ""),
        make("td", {}, make("code", {}, typeOf(part))),
        make("td", {}, [part, ...(part.oneOf || [])].map((one) => one.description).find(Boolean) || "")));
      if (known.description) box.append(make("p", { class: "brief lines" }, known.description));
      if (rows.length) box.append(make("table", {}, rows));
      else box.append(make("p", {}, make("code", {}, typeOf(known))));
      box.append(schemaView(spec, known, false, [...seen, name]));
    };
    if (open) fill();
    box.addEventListener("toggle", fill);
    return box;
  }));
}

function exampleView(content) {
  const values = content.example !== undefined ? [content.example]
    : Object.values(content.examples || {}).map((example) => example.value).slice(0, 1);
  return values.map((value) => make("pre", {}, typeof value === "string" ? value : JSON.stringify(value, null, 2)));
}

function contents(spec, content, open) {
  return Object.entries(content || {}).map(([type, part]) => make("div", {},
    make("p", { class: "brief" }, type, ": ", make("code", {}, typeOf(part.schema))),
    exampleView(part), schemaView(spec, part.schema, open)));
}

function parameters(list) {
  if (!list || !list.length) return [];
  const rows = list.map((one) => make("tr", {},
    make("td", {}, make("code", {}, one.name), one.required ? " *" : ""),
    make("td", {}, one.in), make("td", {}, make("code", {}, typeOf(one.schema))),
    make("td", {}, one.description || "", one.example === undefined ? null
      : make("span", { class: "brief" }, " e.g. ", make("code", {}, String(one.example))))));
  const head = make("tr", {}, ["Name", "In", "Type", ""].map((text) => make("th", {}, text)));
  return [make("h3", {}, "Parameters"), make("table", {}, head, rows)];
}

function answers(spec, responses) {
  return [make("h3", {}, "Answers"), ...Object.entries(responses).map(([status, answer]) => {
    const isError = status >= "400";
    return make("details", isError ? {} : { open: "" },
      make("summary", {}, make("code", { class: isError ? "delete" : "post" }, status), " ",
        isError ? Object.keys(answer.content["application/json"].examples || {}).join(", ") : answer.description),
      isError ? make("p", { class: "lines" }, answer.description) : null,
      Object.entries(answer.headers || {}).map(([name, header]) =>
        make("p", {}, make("code", {}, name), ": ", header.description || "")),
      contents(spec, answer.content, false));
  })];
}

function operationView(spec, { path, method, operation }) {
  const box = make("details", { class: "operation" + (operation.deprecated ? " deprecated" : ""), id: operation.operationId },
    make("summary", {},
      make("span", { class: "method " + method }, method.toUpperCase()),
      make("span", { class: "path" }, path),
      make("span", { class: "brief" }, operation.summary),
      make("span", { class: "tag", title: "Who may use it" }, operation["x-permission"])));
  box.addEventListener("toggle", () => {
    if (!box.open || box.childElementCount > 1) return;
    const body = operation.requestBody;
    box.append(make("div", {},
      operation.deprecated ? make("p", {}, "Kept for clients of old; use POST.") : null,
      operation.description ? make("p", { class: "lines" }, operation.description) : null,
      parameters(operation.parameters),
      body ? [make("h3", {}, "Body"), contents(spec, body.content, true)] : null,
      answers(spec, operation.responses)));
  });
  return box;
}

function operationsOf(spec) {
  return Object.entries(spec.paths).flatMap(([path, item]) =>
    methods.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));
}

function show(spec) {
  byId("version").textContent = spec.info.version;
  const main = byId("main"), index = byId("index"), groups = [];
  main.replaceChildren(make("p", { class: "brief" }, spec.info.description || ""));
  for (const tag of spec.tags) {
    const entries = operationsOf(spec).filter(({ operation }) => operation.tags.includes(tag.name)).map((one) => ({
      text: [one.path, one.method, JSON.stringify(one.operation)].join(" ").toLowerCase(),
      box: operationView(spec, one),
      link: make("a", { class: one.operation.deprecated ? "deprecated" : "", href: "#" + one.operation.operationId, title: `${one.method.toUpperCase()} ${one.path}` }, one.operation.summary),
    }));
    const title = make("div", {}, make("h2", {}, tag.name), make("p", { class: "brief" }, tag.description || ""));
    const heading = make("h2", {}, tag.name);
    main.append(title, ...entries.map((entry) => entry.box));
    index.append(heading, ...entries.map((entry) => entry.link));
    groups.push({ entries, around: [title, heading] });
  }
  const none = make("p", { class: "empty", hidden: "" }, "Nothing is found.");
  main.append(none);
  byId("search").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { entries, around } of groups) {
      const shown = entries.filter((entry) => {
        const fits = words.every((word) => entry.text.includes(word));
        entry.box.hidden = entry.link.hidden = !fits;
        return fits;
      }).length;
      for (const part of around) part.hidden = !shown;
      found += shown;
    }
    none.hidden = found > 0;
  });
  addEventListener("hashchange", openNamed);
  openNamed();
}

function openNamed() {
  const named = byId(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) {
    named.open = true;
    named.scrollIntoView();
  }
}

fetch("openapi.json").then((answer) => answer.json()).then(show).catch((error) => {
  byId("main").replaceChildren(make("p", {}, "The description could not be shown: " + error));
});
