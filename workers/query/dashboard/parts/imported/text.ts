// The texts of what is said of imported Days.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    shown: "Imported from {sources}: {days}.",
    sums: "Visitors of several days are added up.",
    rest: "All other days were counted here, and can be proven.",
    without: "Orders and money are of counted days alone.",
    skipped: "Imported days are not in these numbers: an import knows no hours, and one dimension at a time.",
  },
  {
    de: {
      shown: "Importiert aus {sources}: {days}.",
      sums: "Besucher mehrerer Tage sind zusammengezählt.",
      rest: "Alle anderen Tage sind hier gezählt und lassen sich beweisen.",
      without: "Bestellungen und Geld sind nur von gezählten Tagen.",
      skipped:
        "Importierte Tage fehlen in diesen Zahlen: Ein Import kennt keine Stunden und nur eine Dimension auf einmal.",
    },
    es: {
      shown: "Importado de {sources}: {days}.",
      sums: "Los visitantes de varios días están sumados.",
      rest: "Todos los demás días se contaron aquí y pueden probarse.",
      without: "Los pedidos y el dinero son solo de días contados.",
      skipped:
        "Los días importados no están en estas cifras: una importación no conoce horas y solo una dimensión a la vez.",
    },
    fr: {
      shown: "Importé de {sources} : {days}.",
      sums: "Les visiteurs de plusieurs jours sont additionnés.",
      rest: "Tous les autres jours sont comptés ici et peuvent être prouvés.",
      without: "Les commandes et l’argent sont des seuls jours comptés.",
      skipped:
        "Les jours importés ne sont pas dans ces chiffres : un import ne connaît ni les heures ni plus d’une dimension à la fois.",
    },
    pt: {
      shown: "Importado de {sources}: {days}.",
      sums: "Os visitantes de vários dias são somados.",
      rest: "Todos os outros dias foram contados aqui e podem ser provados.",
      without: "Encomendas e dinheiro são apenas de dias contados.",
      skipped:
        "Os dias importados não estão nestes números: uma importação não conhece horas e só uma dimensão de cada vez.",
    },
    ar: {
      shown: "مستورد من {sources}: {days}.",
      sums: "زوار عدة أيام مجموعون معًا.",
      rest: "كل الأيام الأخرى محسوبة هنا ويمكن إثباتها.",
      without: "الطلبات والمال من الأيام المحسوبة وحدها.",
      skipped: "الأيام المستوردة ليست في هذه الأرقام: الاستيراد لا يعرف الساعات، ويعرف بُعدًا واحدًا في كل مرة.",
    },
  },
);
