// The texts of notes.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    lead: "What happened on a day, for whoever reads these numbers. A note changes none of them.",
    none: "No note on the days that are shown.",
    date: "Day",
    text: "Note",
    add: "Add",
    remove: "Remove the note of {date}",
  },
  {
    de: {
      lead: "Was an einem Tag war, für alle, die diese Zahlen lesen. Eine Notiz ändert keine davon.",
      none: "Keine Notiz zu den gezeigten Tagen.",
      date: "Tag",
      text: "Notiz",
      add: "Hinzufügen",
      remove: "Notiz vom {date} entfernen",
    },
    es: {
      lead: "Qué pasó un día, para quien lea estas cifras. Una nota no cambia ninguna.",
      none: "Ninguna nota en los días mostrados.",
      date: "Día",
      text: "Nota",
      add: "Añadir",
      remove: "Quitar la nota del {date}",
    },
    fr: {
      lead: "Ce qui s’est passé un jour, pour qui lit ces nombres. Une note n’en change aucun.",
      none: "Aucune note sur les jours affichés.",
      date: "Jour",
      text: "Note",
      add: "Ajouter",
      remove: "Retirer la note du {date}",
    },
    pt: {
      lead: "O que aconteceu num dia, para quem lê estes números. Uma nota não muda nenhum.",
      none: "Nenhuma nota nos dias mostrados.",
      date: "Dia",
      text: "Nota",
      add: "Adicionar",
      remove: "Remover a nota de {date}",
    },
    ar: {
      lead: "ما حدث في يوم، لكل من يقرأ هذه الأرقام. الملاحظة لا تغيّر أيًّا منها.",
      none: "لا ملاحظات على الأيام المعروضة.",
      date: "اليوم",
      text: "ملاحظة",
      add: "إضافة",
      remove: "إزالة ملاحظة {date}",
    },
  },
);
