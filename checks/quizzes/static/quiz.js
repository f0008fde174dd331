// The quiz in the page: asks the items one by one, judges each answer at once, and tells the kernel about it.
// Verdicts come sealed (see seal.py, which must give the same numbers) and are opened when an answer was given.
//
// A deck (checks/practice) is a quiz with more: questions to be said aloud and rated (`say`), code to be written and
// checked by the kernel (`write`), a first page, a clock, items that the kernel sends one after the other, a report.

const UNSAVED = "django-interview-course.unsaved";
const DRAFTS = "django-interview-course.drafts";
const TICK = 15; // seconds between two times that the kernel is told how long a timed session has run
const PATIENCE = 4000; // milliseconds until the learner is told that the kernel has not answered
const DOTS = 12; // more would not fit into the head
const SHORT = 120; // milliseconds after which a running program deserves to be called running

// --- seals and arrangements ------------------------------------------------------------------------------------

export function numbers(seed) {
  let x = 2166136261;
  for (let i = 0; i < seed.length; i++) x = Math.imul(x ^ seed.charCodeAt(i), 16777619) >>> 0;
  x ||= 1;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x >>> 8;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

export function arranged(things, seed) {
  const order = [...things], draw = numbers(seed);
  for (let last = order.length - 1; last > 0; last--) {
    const other = draw() % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function opened(item, part) {
  const draw = numbers(`${item.id}/${item.version}/${part}`);
  const bytes = Uint8Array.from(atob(item.seals[part]), (c) => c.charCodeAt(0) ^ (draw() & 255));
  return JSON.parse(new TextDecoder().decode(bytes));
}

// --- verdicts ----------------------------------------------------------------------------------------------------

const plain = (text) => {
  text = text.trim().replace(/\s+/g, " ");
  const quoted = text.length > 1 && text[0] === text.at(-1) && "\"'`".includes(text[0]);
  return (quoted ? text.slice(1, -1).trim() : text).toLowerCase();
};
const digits = (text) => text.replace(/[\s_]/g, "");
const isNumber = (text) => /^[+-]?(\d+\.?\d*|\.\d+)$/.test(digits(text));

// Judges what was given. `marks` says of each choice to be marked whether it is right (for an order item: in its
// place), `reasons` why. A right answer opens every reason; a wrong one only those of what was given.
function judged(item, given) {
  const marks = new Map(), reasons = new Map();
  if (item.kind === "order") {
    const whole = opened(item, "answer");
    given.forEach((key, place) => marks.set(key, whole.order[place] === key));
    const correct = [...marks.values()].every(Boolean);
    whole.order.forEach((key, place) => marks.get(key) && reasons.set(key, whole.explains[place]));
    const right = [...marks.values()].filter(Boolean).length;
    const placed = right === 0 ? "None is" : right === 1 ? "One is" : `${right} are`;
    const text = correct ? "" : `${placed} in place.`;
    return { correct, marks, reasons, text, explain: correct ? whole.explain : "" };
  }
  if (item.choices.length) {
    const parts = new Map(item.choices.map(({ key }) => [key, opened(item, key)]));
    const wanted = [...parts].filter(([, [right]]) => right).map(([key]) => key);
    const missed = wanted.filter((key) => !given.includes(key)).length;
    const correct = !missed && wanted.length === given.length;
    for (const [key, [right, why]] of parts) {
      if (!correct && !given.includes(key)) continue;
      if (given.includes(key)) marks.set(key, right);
      reasons.set(key, why);
    }
    const many = missed === 1 ? "One is still missing." : `${missed} are still missing.`;
    const text = item.kind === "single" || !missed ? "" : many;
    return { correct, marks, reasons, text, explain: correct ? opened(item, "answer").explain : "" };
  }
  const { answer, explain } = opened(item, "answer");
  const correct = item.numeric ? Number(digits(given)) === answer : plain(given) === plain(answer);
  // A prediction is followed by the truth, right or wrong; a number can be tried again.
  const final = correct || item.kind === "predict";
  const text = correct || !final ? "" : `It is ${answer}.`;
  return { correct, marks, reasons, text, explain: final ? explain : "" };
}

// The verdict on an answer said aloud: the points that it had, and those that it lacked.
function rated(item, met) {
  const marks = new Map(item.points.map(({ key }) => [key, met.includes(key)]));
  const correct = met.length === item.points.length;
  const text = correct ? "Every point." : `${met.length} of ${item.points.length} points. Say it once more with those that are missing.`;
  return { correct, marks, reasons: new Map(), text, explain: "" };
}

// The verdict for those who ask to be shown the answer.
function solved(item) {
  const marks = new Map(), reasons = new Map();
  const whole = opened(item, "answer");
  whole.order?.forEach((key, place) => {
    marks.set(key, true);
    reasons.set(key, whole.explains[place]);
  });
  for (const { key } of whole.order ? [] : item.choices) {
    const [right, why] = opened(item, key);
    if (right) marks.set(key, true);
    reasons.set(key, why);
  }
  const text = item.choices.length ? "" : `It is ${whole.answer}.`;
  return { correct: false, revealed: true, marks, reasons, text, explain: whole.explain, order: whole.order };
}

// --- answers on their way to the journal -------------------------------------------------------------------------

const kept = (name) => ({
  all() {
    try {
      return JSON.parse(localStorage.getItem(name)) ?? {};
    } catch {
      return {}; // storage may be forbidden, or hold something else: then nothing is kept
    }
  },
  change(edit) {
    try {
      const things = this.all();
      edit(things);
      localStorage.setItem(name, JSON.stringify(things));
    } catch {}
  },
});
const unsaved = kept(UNSAVED); // answers that the kernel has not confirmed
const drafts = kept(DRAFTS); // code that was typed and is not right yet

// randomUUID exists on https and localhost only; a course may be served over plain http.
const uuid = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// --- elements ------------------------------------------------------------------------------------------------------

function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "html") element.innerHTML = value; // rendered from the course's own bank, with HTML escaped
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

const MARKS = {
  right: ["✓", "right"],
  wrong: ["✗", "wrong"],
  shown: ["→", "the answer"],
  missed: ["–", "not said"],
};
const mark = (sort) =>
  h("span", { class: `dq-mark dq-${sort}` },
    h("span", { "aria-hidden": "true" }, MARKS[sort][0]),
    h("span", { class: "dq-hidden" }, ` ${MARKS[sort][1]}: `));
const button = (looks, onclick, ...label) =>
  h("button", { type: "button", class: `dq-button ${looks}`, onclick }, ...label);
const keycap = (letter) => h("kbd", { "aria-hidden": "true" }, letter);

const TITLES = { quiz: "Quiz ", review: "Review ", placement: "Placement ", interview: "Mock interview " };

const saves = (event) => (event.ctrlKey || event.metaKey) && event.key === "s";

let counter = 0;

function render({ model, el }) {
  const items = [...model.get("items")], name = model.get("name");
  const mode = model.get("mode"), intro = model.get("intro"), seconds = model.get("seconds");
  const total = Math.max(model.get("total"), items.length);
  const before = model.get("before"); // cards of an earlier sitting
  const uid = `dq${++counter}`;
  const states = new Map(items.map((item) => [item.id, fresh(item, -1)]));
  const first = new Map(); // item id → how its first answer went
  let position = intro ? -1 : 0; // before the first item stands the first page
  let elapsed = 0, paused = false; // seconds of a timed session
  let ended = false, report = null; // what the kernel says at the end

  function fresh(item, last) {
    let attempt = last + 1;
    const sorted = item.choices.map(({ key }) => key);
    let order = arranged(sorted, `${item.id}/${attempt}`);
    if (item.kind === "order") {
      const right = opened(item, "answer").order.join();
      while (order.join() === right) order = arranged(sorted, `${item.id}/${++attempt}`);
    }
    return { attempt, order, chosen: new Set(), typed: "", verdict: null, output: null, since: performance.now(),
      shown: false, tries: 0 };
  }

  const count = h("span", { class: "dq-count" });
  const dots = h("ol", { class: "dq-dots", "aria-label": "Items" });
  const main = h("div", { class: "dq-main" });
  const feedback = h("div", { class: "dq-feedback", role: "status", "aria-live": "polite" });
  const actions = h("div", { class: "dq-actions" });
  const live = h("div", { class: "dq-hidden", "aria-live": "polite" });
  const saved = h("span", { class: "dq-saved", role: "status" });
  const previous = button("dq-quiet", () => go(position - 1), "‹ Previous");
  const next = button("dq-quiet", () => go(position + 1));
  const clock = h("span", { class: "dq-clock", role: "timer", hidden: !seconds });
  const pause = button("dq-quiet", () => halt(!paused), "Pause");
  const stop = button("dq-quiet", () => go(total), "End now");
  const card = h(
    "section",
    {
      class: "dq", tabindex: "-1", "aria-label": `${TITLES[mode]}${name}`.trim(),
      "data-lm-suppress-shortcuts": true,
    },
    h("header", { class: "dq-head" }, h("span", { class: "dq-name" }, TITLES[mode], h("b", {}, name)), dots, count,
      clock),
    main, feedback, actions, live,
    h("footer", { class: "dq-foot" }, previous, saved, pause, stop, next),
  );
  el.append(card);

  // --- one item ---

  const item = () => items[position];
  const state = () => states.get(item()?.id);
  const inputs = () => [...main.querySelectorAll("input, .dq-row, .dq-editor")];
  const over = () => position >= total;
  const waiting = () => position >= items.length;
  const timed = mode === "interview";

  // Draws everything anew. Focus stays in the quiz: were it lost, the next key would reach the notebook.
  function draw(target) {
    fill();
    target().focus({ preventScroll: true });
  }

  function fill() {
    const asking = position >= 0 && !over() && !waiting() && !paused;
    count.textContent = position < 0 ? "" : over() ? (mode === "quiz" ? "Score" : "Done") : `${before + position + 1} of ${before + total}`;
    previous.hidden = position <= 0 || mode !== "quiz";
    next.hidden = !asking || (mode === "placement" && !state().verdict);
    pause.hidden = !timed || position < 0 || over();
    stop.hidden = mode === "quiz" || mode === "placement" || position < 0 || over();
    next.textContent = position + 1 === total ? (mode === "quiz" ? "Score ›" : "Finish ›") : "Next ›";
    card.classList.remove("dq-answered");
    feedback.replaceChildren();
    actions.replaceChildren();
    drawDots();
    drawClock();
    if (position < 0) return drawIntro();
    if (over()) return mode === "quiz" ? drawScore() : drawEnd();
    if (paused) return main.replaceChildren(h("p", {}, "The clock stands still. Go on when you are ready."));
    if (waiting()) return main.replaceChildren(h("p", { role: "status" }, "One moment …"));
    main.replaceChildren(...question());
    if (state().verdict) drawVerdict();
    else drawAsking();
  }

  function drawIntro() {
    main.replaceChildren(h("div", { class: "dq-intro", html: intro }));
    actions.replaceChildren(button("dq-sure", () => go(0), "Begin"));
  }

  // A session ends with what the kernel says of it.
  function drawEnd() {
    const late = "The kernel has not answered. Your answers are kept: when it runs again, run this cell once more.";
    if (report === null) main.replaceChildren(h("p", { role: "status" }, "Putting it together …"));
    else main.replaceChildren(h("div", { class: "dq-end", tabindex: "0", html: report }));
    if (ended) return;
    ended = true;
    tell({ finish: elapsed });
    setTimeout(() => report === null && main.replaceChildren(h("p", {}, late)), 2 * PATIENCE);
  }

  function drawClock() {
    if (!seconds) return;
    const left = Math.max(seconds - elapsed, 0), two = (number) => String(number).padStart(2, "0");
    clock.textContent = left ? `${Math.floor(left / 60)}:${two(left % 60)} left` : "Time is up";
    clock.classList.toggle("dq-late", left < 60);
  }

  function tick() {
    if (paused || position < 0 || over()) return;
    elapsed += 1;
    drawClock();
    if (elapsed % TICK === 0) tell({ elapsed });
    if (elapsed === seconds) live.textContent = "Time is up. Finish this question; it is the last.";
  }

  function halt(still) {
    paused = still;
    pause.textContent = paused ? "Go on" : "Pause";
    tell({ elapsed });
    if (!paused) state().since = performance.now() - state().spent;
    else state().spent = performance.now() - state().since;
    draw(() => (paused ? pause : firstInput()));
  }

  function drawDots() {
    dots.hidden = position < 0 || total > DOTS;
    dots.replaceChildren(...items.map(({ id }, index) => {
      const went = first.get(id);
      const [sign, word] = !went ? ["", "open"] : went.correct ? MARKS.right : MARKS.wrong;
      const tone = !went ? "" : went.correct ? " dq-right" : " dq-wrong";
      return h("li", {
        class: `dq-dot${tone}`, "aria-label": `Item ${index + 1}: ${word}`,
        "aria-current": index === position ? "step" : null,
      }, sign);
    }));
  }

  function question() {
    const { id, kind, asks, prompt, code, choices, numeric, why } = item();
    const { order, chosen, typed } = state();
    const asking = [
      why && h("p", { class: "dq-reason" }, why[0].toUpperCase() + why.slice(1)),
      h("div", { class: "dq-prompt", id: `${uid}-prompt`, html: prompt }),
      code && h("pre", { class: "dq-code", tabindex: "0", "aria-label": "Code" }, h("code", { html: code })),
    ].filter(Boolean);
    if (kind === "order") return [...asking, h("p", { class: "dq-asks" }, asks), rows()];
    if (kind === "say") return [...asking, ...(state().shown ? points() : [h("p", { class: "dq-asks" }, asks)])];
    if (kind === "write") return [...asking, h("p", { class: "dq-asks" }, asks), editor()];
    if (!choices.length) {
      const wanted = numeric && kind === "predict" ? `${asks} (a number)` : asks;
      const label = h("label", { for: `${uid}-input` }, wanted);
      const box = h("input", {
        type: "text", class: "dq-input", id: `${uid}-input`, value: typed, "aria-describedby": `${uid}-prompt`,
        autocomplete: "off", autocapitalize: "off", spellcheck: "false", inputmode: numeric ? "decimal" : "text",
        oninput: (event) => {
          state().typed = event.target.value;
          drawAsking();
        },
      });
      return [...asking, h("p", { class: "dq-asks" }, label), box];
    }
    const type = kind === "single" ? "radio" : "checkbox";
    const html = new Map(choices.map((choice) => [choice.key, choice.html]));
    return [h("fieldset", { class: "dq-choices" },
      h("legend", {}, asking, h("p", { class: "dq-asks" }, asks)),
      order.map((key, index) => h("div", { class: "dq-choice", "data-key": key },
        h("label", {},
          h("input", { type, name: `${uid}-${id}`, value: key, checked: chosen.has(key), onchange: choose }),
          h("kbd", { class: "dq-key", "aria-hidden": "true" }, String(index + 1)),
          h("span", { class: "dq-text", html: html.get(key) })))))];
  }

  const finished = (verdict) =>
    verdict.correct || verdict.revealed || item().kind === "predict" || (mode !== "quiz" && item().kind !== "write");

  function choose() {
    state().chosen = new Set([...main.querySelectorAll("input:checked")].map((input) => input.value));
    drawAsking();
  }

  // --- an order item: rows that change places ---

  function rows() {
    const { order } = state(), last = order.length - 1;
    const html = new Map(item().choices.map((choice) => [choice.key, choice.html]));
    const arrow = (sign, word, text, from, to) => h("button", {
      type: "button", class: "dq-move", tabindex: "-1", "aria-label": `Move ${word}: ${text}`,
      disabled: to < 0 || to > last, onclick: () => move(from, to),
    }, sign);
    return h("ol", { class: "dq-rows", "aria-labelledby": `${uid}-prompt` }, order.map((key, index) => {
      const text = h("span", { class: "dq-text", html: html.get(key) }), words = text.textContent;
      const label = `${words}, ${index + 1} of ${last + 1}. Shift and arrow moves it.`;
      return h("li", { class: "dq-row", "data-key": key, tabindex: "0", "aria-label": label },
        h("kbd", { class: "dq-key", "aria-hidden": "true" }, String(index + 1)),
        text,
        h("span", { class: "dq-moves" },
          arrow("↑", "up", words, index, index - 1),
          arrow("↓", "down", words, index, index + 1)));
    }));
  }

  function move(from, to) {
    const { order } = state();
    if (to < 0 || to >= order.length) return;
    order.splice(to, 0, ...order.splice(from, 1));
    state().chosen = new Set(order); // the order was touched
    main.querySelector(".dq-rows").replaceWith(rows());
    main.querySelectorAll(".dq-row")[to].focus();
    live.textContent = `Now ${to + 1} of ${order.length}.`;
    drawAsking();
  }

  // --- a question said aloud: first one's own words, then the points to compare them with ---

  function points() {
    const { id, points, said, followups } = item(), { chosen } = state();
    return [
      h("fieldset", { class: "dq-choices" },
        h("legend", {}, h("p", { class: "dq-asks" }, "Tick what your answer had.")),
        points.map(({ key, html }, index) => h("div", { class: "dq-choice", "data-key": key },
          h("label", {},
            h("input", { type: "checkbox", name: `${uid}-${id}`, value: key, checked: chosen.has(key), onchange: choose }),
            h("kbd", { class: "dq-key", "aria-hidden": "true" }, String(index + 1)),
            h("span", { class: "dq-text", html }))))),
      h("details", { class: "dq-said" }, h("summary", {}, "One way to say it"), h("div", { html: said })),
      followups.map(({ ask, answer }) =>
        h("details", { class: "dq-said" }, h("summary", { html: `They go on: ${ask}` }), h("div", { html: answer }))),
    ].flat();
  }

  function disclose() {
    const now = state();
    now.shown = true;
    now.took = (performance.now() - now.since) / 1000; // comparing is not answering
    draw(firstInput);
  }

  // --- code to write: Tab indents, Escape and then Tab leaves, Ctrl + Enter checks ---

  function editor() {
    const { id, stub } = item(), now = state();
    now.typed ||= drafts.all()[id] ?? stub;
    const box = h("textarea", {
      class: "dq-editor", id: `${uid}-input`, "aria-label": "Your code. Control and Enter checks it; Escape, then Tab, leaves it.",
      rows: String(Math.min(Math.max(now.typed.split("\n").length + 2, 6), 24)), spellcheck: "false",
      autocapitalize: "off", autocomplete: "off", wrap: "off",
      oninput: () => {
        now.typed = box.value;
        drafts.change((all) => (all[id] = box.value));
      },
    });
    box.value = now.typed;
    return box;
  }

  function check() {
    const asked = item(), now = state();
    if (now.checking) return;
    const writing = document.activeElement?.matches(".dq-editor");
    now.checking = true;
    now.tries += 1;
    feedback.replaceChildren(h("p", {}, "Checking …"));
    const late = setTimeout(() => {
      if (state() === now && now.checking) feedback.replaceChildren(h("p", {}, "Still checking. If the kernel was "
        + "stopped, run this cell again: your code is kept."));
    }, 3 * PATIENCE);
    now.checked = ({ correct, html }) => {
      clearTimeout(late);
      now.checking = false;
      if (!first.has(asked.id)) first.set(asked.id, { correct, sure: true });
      now.verdict = { correct, sure: true, marks: new Map(), reasons: new Map(), text: "", explain: "", html };
      if (correct) drafts.change((all) => delete all[asked.id]);
      if (item() === asked && state() === now) {
        drawDots();
        drawVerdict();
        // Who checked from within the code goes on there.
        if (!paused && (correct || !writing)) actions.querySelector("button").focus({ preventScroll: true });
      }
    };
    tell({ check: asked.id, source: now.typed, seconds: (performance.now() - now.since) / 1000, elapsed });
  }

  // --- asking: two ways to submit ---

  function given() {
    const { kind, choices, points } = item(), { order, chosen, typed } = state();
    if (kind === "order") return order;
    if (kind === "say") return points.map(({ key }) => key).filter((key) => chosen.has(key));
    if (choices.length) return chosen.size ? order.filter((key) => chosen.has(key)) : null;
    return (item().numeric ? isNumber(typed) : typed.trim()) ? typed : null;
  }

  function keys() {
    const { kind, choices, points } = item();
    if (kind === "order") return "↑ ↓, with Shift to move";
    if (kind === "say") return `1–${points.length}, then S`;
    return choices.length ? `1–${choices.length}` : "Enter, then ← →";
  }

  function drawAsking() {
    const { kind } = item();
    if (kind === "write") {
      actions.replaceChildren(button("dq-sure", check, "Check", keycap("Ctrl + Enter")));
      return;
    }
    if (kind === "say") {
      if (state().shown) actions.replaceChildren(
        button("dq-submit dq-sure", () => submit(true), "That is it", keycap("S")),
        h("span", { class: "dq-keys", "aria-hidden": "true" }, `Keys: ${keys()}`));
      else actions.replaceChildren(button("dq-sure", disclose, "I have said it: show the points"));
      return;
    }
    const ready = given() !== null;
    if (!actions.querySelector(".dq-submit")) {
      actions.replaceChildren(
        button("dq-submit dq-sure", () => submit(true), "Sure", keycap("S")),
        button("dq-submit dq-unsure", () => submit(false), "Not sure", keycap("N")),
        h("span", { class: "dq-hint" }, "How sure are you?"),
        h("span", { class: "dq-keys", "aria-hidden": "true" }, `Keys: ${keys()}`));
    }
    // aria-disabled keeps them in the tab order, so that the keyboard does not lose its place.
    actions.querySelectorAll(".dq-submit").forEach((button) => button.setAttribute("aria-disabled", String(!ready)));
    feedback.replaceChildren();
  }

  function submit(sure) {
    const answer = given(), asked = item(), now = state();
    if (now.verdict) return;
    if (answer === null) {
      const missing = asked.numeric ? "Type a number, in digits." : "Type your answer first.";
      const unchosen = "Choose first, then say how sure you are.";
      feedback.replaceChildren(h("p", {}, asked.choices.length ? unchosen : missing));
      inputs()[0].focus();
      return;
    }
    const verdict = asked.kind === "say" ? rated(asked, answer) : judged(asked, answer);
    now.verdict = { ...verdict, sure };
    if (!first.has(asked.id)) first.set(asked.id, { correct: verdict.correct, sure });
    drawDots();
    drawVerdict();
    actions.querySelector("button").focus({ preventScroll: true });
    record(asked, {
      given: Array.isArray(answer) ? answer.join(" ") : answer.trim(),
      correct: verdict.correct, sure, seconds: now.took ?? (performance.now() - now.since) / 1000, elapsed,
      ...(asked.kind === "say" && { points: asked.points.length }),
    });
    if (asked.kind === "predict") run(asked);
  }

  // Marks what was given, in place.
  function drawVerdict() {
    const { verdict } = state();
    card.classList.add("dq-answered");
    for (const input of inputs()) {
      if (input.matches(".dq-row")) {
        input.removeAttribute("tabindex");
        input.removeAttribute("aria-label");
        input.querySelector(".dq-moves").remove();
      } else if (input.matches(".dq-editor")) input.readOnly = verdict.correct || Boolean(verdict.revealed);
      else if (input.matches(".dq-input")) input.readOnly = true;
      else input.disabled = true;
    }
    for (const choice of main.querySelectorAll("[data-key]")) {
      const key = choice.dataset.key, right = verdict.marks.get(key), why = verdict.reasons.get(key);
      if (right !== undefined) {
        const sort = verdict.revealed ? "shown" : right ? "right" : item().kind === "say" ? "missed" : "wrong";
        choice.classList.add(`dq-${sort}`);
        choice.querySelector(".dq-text").before(mark(sort));
      }
      if (!why) continue;
      choice.append(h("div", { class: "dq-why", id: `${uid}-${key}`, html: why }));
      choice.querySelector("input")?.setAttribute("aria-describedby", `${uid}-${key}`);
    }
    const tone = verdict.revealed ? "shown" : verdict.correct ? "right" : "wrong";
    const said = item().kind === "say";
    const word = said ? "" : { shown: "The answer.", right: "Right.", wrong: "Not right." }[tone];
    const surprise =
      verdict.html || said ? ""
      : tone === "right" && !verdict.sure ? " You knew more than you thought."
      : tone === "wrong" && verdict.sure ? " You were sure: remember this one."
      : "";
    feedback.replaceChildren(verdict.html ? h("div", { class: "dq-checked", html: verdict.html }) :
      h("div", { class: `dq-verdict dq-${tone}` },
        h("p", { class: "dq-headline" },
          h("span", { class: "dq-sign", "aria-hidden": "true" }, MARKS[tone][0]), h("b", {}, word),
          verdict.text && ` ${verdict.text}`, surprise),
        verdict.explain && h("div", { class: "dq-explain", html: verdict.explain }),
        h("div", { class: "dq-output" })));
    drawOutput();
    const again = !finished(verdict);
    next.hidden = !again;
    if (mode === "placement") next.hidden = true;
    const last = position + 1 === total || (seconds && elapsed >= seconds);
    const onwards = !last ? "Next question" : mode === "quiz" ? "See your score" : "Finish";
    if (again && item().kind === "write") offer(
      button("dq-sure", check, "Check again", keycap("Ctrl + Enter")),
      button("", () => tell({ solve: item().id }), "Show the solution"));
    else if (again) offer(button("dq-sure", retry, "Try again"), button("", reveal, "Show the answer"));
    else offer(
      button("dq-sure", () => go(position + 1), onwards),
      // A review and a placement ask once, and an interviewer does not say what would have been right.
      ...(!verdict.correct && !verdict.revealed && item().choices.length && mode !== "interview"
        ? [button("", reveal, "Show the answer")] : []));
  }

  // Puts other buttons in the place of those that are there. The focus moves over before they go: a focused element
  // that disappears costs the notebook more time than all the rest of the feedback.
  function offer(...buttons) {
    const gone = [...actions.children], inside = actions.contains(document.activeElement);
    actions.append(...buttons);
    if (inside) buttons[0].focus({ preventScroll: true });
    gone.forEach((child) => child.remove());
  }

  function drawOutput() {
    const { output, verdict } = state();
    if (!output || verdict?.html) return;
    feedback.querySelector(".dq-output").replaceChildren(...[
      h("p", {}, output.title),
      output.text != null && h("pre", { tabindex: "0", "aria-label": "Output" }, output.text),
    ].filter(Boolean));
  }

  function retry() {
    states.set(item().id, fresh(item(), state().attempt));
    draw(firstInput);
  }

  function reveal() {
    const verdict = solved(item());
    state().verdict = verdict;
    if (verdict.order) state().order = verdict.order;
    draw(() => actions.querySelector("button"));
  }

  function go(to) {
    if (to < 0 || to > total) return;
    if (position < 0) tell({ begin: true });
    if (paused) halt(false);
    // Time that is up ends a session after the question that it ran out in.
    position = seconds && elapsed >= seconds ? total : to;
    saved.textContent = "";
    live.textContent = "";
    if (!over() && !waiting() && !state().verdict) state().since = performance.now();
    draw(firstInput);
    card.scrollIntoView({ block: "nearest" });
  }

  const firstInput = () =>
    inputs().find((input) => !input.disabled && !input.readOnly) ?? actions.querySelector("button")
      ?? main.querySelector("[tabindex]") ?? card;

  // --- the score ---

  function drawScore() {
    const went = items.map(({ id }) => ({ id, ...first.get(id) }));
    const right = went.filter((each) => each.correct);
    const missed = went.filter((each) => each.correct === false);
    const open = went.filter((each) => each.correct === undefined);
    const fooled = missed.filter((each) => each.sure), unsure = missed.filter((each) => !each.sure);
    const guessed = right.filter((each) => !each.sure);
    const names = (list) => list.map((each) => each.id).join(", ");
    const advice = [
      open.length && `Still open: ${names(open)}.`,
      fooled.length && `Sure, and wrong: ${names(fooled)}. That is what costs an interview: `
        + "read the section again and say the answer aloud.",
      unsure.length && `Missed: ${names(unsure)}. Run the cells above once more, then repeat.`,
      guessed.length && `Right, but not sure: ${names(guessed)}. Read why, so that you can give the reason too.`,
      right.length === items.length && !guessed.length && "You can say this in an interview. Go on to the exercises.",
    ].filter(Boolean);
    const again = [...open, ...missed].map((each) => each.id);
    main.replaceChildren(
      h("p", { class: "dq-score" }, h("b", {}, `${right.length} of ${items.length}`), " right at the first try"),
      h("ul", { class: "dq-results" }, went.map(({ id, correct, sure }) => {
        const tone = correct === undefined ? null : correct ? "right" : "wrong";
        return h("li", {},
          h("span", { class: `dq-mark dq-${tone}`, "aria-hidden": "true" }, tone ? MARKS[tone][0] : "·"),
          h("b", {}, id), tone ? ` ${tone}, ${sure ? "sure" : "not sure"}` : " open");
      })),
      h("ul", { class: "dq-advice" }, advice.map((line) => h("li", {}, line))));
    actions.replaceChildren(button("", () => repeat(items.map(({ id }) => id)), "Start over"));
    if (again.length) {
      const label = open.length ? "Go to the open ones" : "Repeat what was missed";
      actions.prepend(button("dq-sure", () => repeat(again), label));
    }
  }

  function repeat(ids) {
    for (const each of items) {
      if (!ids.includes(each.id)) continue;
      states.set(each.id, fresh(each, states.get(each.id).attempt));
      first.delete(each.id);
    }
    go(items.findIndex(({ id }) => ids.includes(id)));
  }

  // --- the kernel: recording answers, running code ---

  const timers = new Map();

  function record(asked, answer) {
    const row = { key: uuid(), item: asked.id, version: asked.version, at: Date.now(), ...answer };
    unsaved.change((answers) => (answers[row.key] = row));
    setTimeout(deliver, 0, row); // after the feedback
    saved.textContent = "";
    timers.set(row.key, setTimeout(() => {
      saved.textContent = "Not saved yet: kept in this browser until the kernel answers.";
    }, PATIENCE));
  }

  const deliver = (row) => tell({ answer: row });

  function tell(message) {
    try {
      model.send(message);
    } catch {} // no kernel: answers are kept, and the rest can be asked again
  }

  function run(asked) {
    const now = state();
    const say = (output) => {
      now.output = output;
      if (item() === asked && state() === now) drawOutput();
    };
    now.quiet = setTimeout(() => say({ title: "Running it …" }), SHORT);
    const late = "The kernel is busy or stopped. Run the code in a cell to see its output.";
    now.late = setTimeout(() => say({ title: late }), PATIENCE);
    now.ran = (message) => {
      clearTimeout(now.quiet);
      clearTimeout(now.late);
      if (message.problem) say({ title: `It could not run: ${message.problem}` });
      else say({ title: "What it printed just now:", text: message.output || "(nothing)" });
    };
    tell({ run: asked.id });
  }

  function receive(message) {
    const key = message.saved ?? message.unsaved;
    if (key) {
      clearTimeout(timers.get(key));
      if (message.saved) unsaved.change((answers) => delete answers[key]);
      if (timers.delete(key)) saved.textContent = message.saved ? "✓ Saved" : `Not saved: ${message.problem}`;
    }
    if (message.ran) states.get(message.ran)?.ran?.(message);
    if (message.checked) states.get(message.checked)?.checked?.(message);
    if (message.solved) {
      const now = states.get(message.solved);
      now.verdict = { ...now.verdict, revealed: true, html: message.html };
      if (item()?.id === message.solved) draw(() => actions.querySelector("button"));
    }
    if (message.next && !states.has(message.next.id)) {
      const here = waiting();
      items.push(message.next);
      states.set(message.next.id, fresh(message.next, -1));
      drawDots();
      if (here && position >= 0) go(position);
    }
    if (message.finished !== undefined) {
      report = message.finished;
      if (over()) draw(() => main.querySelector(".dq-end") ?? card);
    }
  }
  model.on("msg:custom", receive);

  // --- keys: all of them stay in the quiz ---

  function pressed(event) {
    if (saves(event)) return;
    event.stopPropagation();
    if (event.target.matches(".dq-editor")) return edited(event);
    if (position < 0 || over() || paused || waiting()) return;
    if (event.ctrlKey || event.metaKey || event.altKey || state().verdict) return;
    if (typed(event.key, event.shiftKey, event.target)) event.preventDefault();
  }

  let leaving = false; // Escape was pressed: the next Tab moves the focus, as everywhere else

  function edited(event) {
    const box = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!box.readOnly) check();
    } else if (event.key === "Tab" && !event.shiftKey && !leaving && !box.readOnly) {
      event.preventDefault();
      box.setRangeText("    ", box.selectionStart, box.selectionEnd, "end");
      box.dispatchEvent(new Event("input"));
    }
    leaving = event.key === "Escape";
  }

  // Answers by keyboard; true when the key meant something here.
  function typed(key, shift, target) {
    const { kind, numeric } = item(), list = inputs();
    const here = list.indexOf(target.closest("input, .dq-row")), writing = target.matches(".dq-input");
    const vertical = { ArrowUp: -1, ArrowDown: 1 }[key], sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (kind === "say" && !state().shown) return false;
    if (/^[sn]$/i.test(key) && (!writing || numeric)) {
      submit(kind === "say" || key.toLowerCase() === "s");
    } else if (key === "Enter" && here >= 0 && !target.matches("button")) {
      actions.querySelector("button").focus();
    } else if (/^[1-9]$/.test(key) && !writing && list[key - 1]) {
      if (kind === "order" && here >= 0) move(here, key - 1);
      else list[key - 1].focus();
      if (kind !== "order") list[key - 1].click();
    } else if (vertical && kind === "order" && shift && here >= 0) {
      move(here, here + vertical);
    } else if (vertical && here < 0 && list.length) {
      list.at(vertical > 0 ? 0 : -1).focus();
    } else if (vertical && !writing && kind !== "single") {
      list[(here + vertical + list.length) % list.length].focus();
    } else if (sideways && actions.contains(target)) {
      const buttons = [...actions.querySelectorAll("button")];
      buttons.at((buttons.indexOf(target) + sideways) % buttons.length).focus();
    } else {
      return false;
    }
    return true;
  }

  card.addEventListener("keydown", pressed);
  card.addEventListener("keyup", (event) => event.stopPropagation());

  // Saving the notebook is the one shortcut that a learner expects to work from anywhere. JupyterLab may look for this
  // attribute before the event gets to the card, so it is set before that.
  const guard = (event) => {
    if (card.contains(event.target)) card.toggleAttribute("data-lm-suppress-shortcuts", !saves(event));
  };
  window.addEventListener("keydown", guard, true);

  const ticking = seconds ? setInterval(tick, 1000) : null;
  fill();
  Object.values(unsaved.all()).forEach(deliver);
  return () => {
    window.removeEventListener("keydown", guard, true);
    model.off("msg:custom", receive);
    timers.forEach(clearTimeout);
    clearInterval(ticking);
  };
}

export default { render };
