const choice = document.getElementById("household");
const show = () => {
  for (const list of document.querySelectorAll(".household")) list.hidden = list.id !== choice.value;
};
choice.addEventListener("change", show);
show();
