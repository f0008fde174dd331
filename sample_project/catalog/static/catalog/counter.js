// Says below each text field how much of the advised length is left.
"use strict";

for (const field of document.querySelectorAll("textarea[data-advised]")) {
  const advised = Number(field.dataset.advised);
  const counter = document.createElement("output");
  counter.className = "counter";
  counter.htmlFor = field.id;
  counter.id = `${field.id}_counter`;
  field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), counter.id].filter(Boolean).join(" "));
  field.after(counter);

  const count = () => {
    // Characters as people count them: an emoji is one.
    const left = advised - [...field.value].length;
    counter.textContent = left >= 0 ? `${left} of ${advised} characters left` : `${-left} characters more than advised`;
    counter.classList.toggle("over", left < 0);
  };
  field.addEventListener("input", count);
  count();
}
