// The texts of the map of countries.

import { pageTexts } from "../../pages/texts.ts";

export default pageTexts(
  {
    map: "Map of countries",
    how: "Choose a country to filter by it; arrow keys go through them.",
    small: "Too small to be drawn: {names}",
  },
  {
    ar: {
      map: "خريطة الدول",
      how: "اختر دولة لتصفّي بها؛ ومفاتيح الأسهم تتنقل بينها.",
      small: "أصغر من أن تُرسم: {names}",
    },
    de: {
      map: "Karte der Länder",
      how: "Ein Land wählen filtert danach; Pfeiltasten gehen durch die Länder.",
      small: "Zu klein zum Zeichnen: {names}",
    },
    es: {
      map: "Mapa de países",
      how: "Elija un país para filtrar; las flechas los recorren.",
      small: "Demasiado pequeños para dibujarlos: {names}",
    },
    fr: {
      map: "Carte des pays",
      how: "Choisissez un pays pour filtrer ; les flèches les parcourent.",
      small: "Trop petits pour être dessinés : {names}",
    },
    pt: {
      map: "Mapa de países",
      how: "Escolha um país para filtrar; as setas percorrem-nos.",
      small: "Pequenos demais para desenhar: {names}",
    },
  },
);
