// The texts of what the API sees.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    asApiLead: "This as one question of the API. A program sends it to POST {path} with a key of the shop.",
    csv: "As CSV",
    json: "As JSON",
    addressLead: "This is one address of the API. A program reads it with a key of the shop.",
    svg: "As SVG",
    png: "As PNG",
  },
  {
    ar: {
      asApiLead: "هذا كسؤال واحد لواجهة البرمجة. يرسله برنامج إلى POST {path} بمفتاح من المتجر.",
      csv: "كملف CSV",
      json: "كملف JSON",
      addressLead: "هذا عنوان واحد لواجهة البرمجة. يقرؤه برنامج بمفتاح من المتجر.",
      svg: "بصيغة SVG",
      png: "بصيغة PNG",
    },
    de: {
      asApiLead:
        "Das hier als eine Frage an die API. Ein Programm sendet sie mit einem Schlüssel des Ladens an POST {path}.",
      csv: "Als CSV",
      json: "Als JSON",
      addressLead: "Das hier ist eine Adresse der API. Ein Programm liest sie mit einem Schlüssel des Ladens.",
      svg: "Als SVG",
      png: "Als PNG",
    },
    es: {
      asApiLead: "Esto como una pregunta a la API. Un programa la envía a POST {path} con una clave de la tienda.",
      csv: "Como CSV",
      json: "Como JSON",
      addressLead: "Esto es una dirección de la API. Un programa la lee con una clave de la tienda.",
      svg: "Como SVG",
      png: "Como PNG",
    },
    fr: {
      asApiLead: "Ceci comme une question à l’API. Un programme l’envoie à POST {path} avec une clé de la boutique.",
      csv: "En CSV",
      json: "En JSON",
      addressLead: "Ceci est une adresse de l’API. Un programme la lit avec une clé de la boutique.",
      svg: "En SVG",
      png: "En PNG",
    },
    pt: {
      asApiLead: "Isto como uma pergunta à API. Um programa envia-a para POST {path} com uma chave da loja.",
      csv: "Como CSV",
      json: "Como JSON",
      addressLead: "Isto é um endereço da API. Um programa lê-o com uma chave da loja.",
      svg: "Em SVG",
      png: "Em PNG",
    },
  },
);
