// The texts of what the API sees.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    asApiLead: "This as one question of the API. A program sends it to POST {path} with a key of the shop.",
    csv: "As CSV",
    svg: "As SVG",
    png: "As PNG",
  },
  {
    ar: {
      asApiLead: "هذا كسؤال واحد لواجهة البرمجة. يرسله برنامج إلى POST {path} بمفتاح من المتجر.",
      csv: "كملف CSV",
      svg: "بصيغة SVG",
      png: "بصيغة PNG",
    },
    de: {
      asApiLead:
        "Das hier als eine Frage an die API. Ein Programm sendet sie mit einem Schlüssel des Ladens an POST {path}.",
      csv: "Als CSV",
      svg: "Als SVG",
      png: "Als PNG",
    },
    es: {
      asApiLead: "Esto como una pregunta a la API. Un programa la envía a POST {path} con una clave de la tienda.",
      csv: "Como CSV",
      svg: "Como SVG",
      png: "Como PNG",
    },
    fr: {
      asApiLead: "Ceci comme une question à l’API. Un programme l’envoie à POST {path} avec une clé de la boutique.",
      csv: "En CSV",
      svg: "En SVG",
      png: "En PNG",
    },
    pt: {
      asApiLead: "Isto como uma pergunta à API. Um programa envia-a para POST {path} com uma chave da loja.",
      csv: "Como CSV",
      svg: "Em SVG",
      png: "Em PNG",
    },
  },
);
