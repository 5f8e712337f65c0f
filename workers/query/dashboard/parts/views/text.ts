// The texts of saved views.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    none: "No view is kept yet.",
    keep: "Keep this view as",
    save: "Keep",
    remove: "Remove {name}",
    taken: "Another view has this name.",
  },
  {
    de: {
      none: "Noch ist keine Ansicht aufgehoben.",
      keep: "Diese Ansicht aufheben als",
      save: "Aufheben",
      remove: "{name} entfernen",
      taken: "Eine andere Ansicht heißt so.",
    },
    es: {
      none: "Aún no hay vistas guardadas.",
      keep: "Guardar esta vista como",
      save: "Guardar",
      remove: "Quitar {name}",
      taken: "Otra vista tiene ese nombre.",
    },
    fr: {
      none: "Aucune vue n’est encore enregistrée.",
      keep: "Garder cette vue sous",
      save: "Garder",
      remove: "Retirer {name}",
      taken: "Une autre vue porte ce nom.",
    },
    pt: {
      none: "Ainda não há vistas guardadas.",
      keep: "Guardar esta vista como",
      save: "Guardar",
      remove: "Remover {name}",
      taken: "Outra vista tem este nome.",
    },
    ar: {
      none: "لا عروض محفوظة بعد.",
      keep: "احفظ هذا العرض باسم",
      save: "حفظ",
      remove: "إزالة {name}",
      taken: "لعرض آخر هذا الاسم.",
    },
  },
);
