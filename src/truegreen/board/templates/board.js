(function(){
  var main=document.querySelector("main"),news=document.getElementById("news"),timer=0,busy=false,again=false;
  function swap(){
    if(busy){again=true;return}
    busy=true;
    fetch(location.href,{headers:{accept:"text/html"}}).then(function(answer){return answer.text()}).then(function(text){
      var page=new DOMParser().parseFromString(text,"text/html"),fresh=page.querySelector("main");
      if(!fresh)return;
      var at=document.activeElement&&main.contains(document.activeElement)&&document.activeElement.getAttribute("href");
      if(document.activeElement&&document.activeElement.tagName==="INPUT")return;
      main.replaceChildren.apply(main,Array.from(fresh.childNodes));
      document.title=page.title;
      if(at){var link=Array.from(main.querySelectorAll("a")).find(function(a){return a.getAttribute("href")===at});if(link)link.focus({preventScroll:true})}
    }).catch(function(){}).finally(function(){busy=false;if(again){again=false;soon()}});
  }
  function soon(){clearTimeout(timer);timer=setTimeout(swap,Math.random()*400)}
  var lost=false,line=new EventSource("/events");
  line.onmessage=function(event){
    var told=JSON.parse(event.data),mine=main.getAttribute("data-app");
    document.documentElement.setAttribute("data-heard",told.record||"lease");
    if(mine&&mine!==told.app)return;
    if(told.sentence)news.textContent=told.verdict+": "+told.sentence;
    soon();
  };
  line.onerror=function(){lost=true;document.documentElement.setAttribute("data-line","lost")};
  line.onopen=function(){document.documentElement.setAttribute("data-line","open");if(lost){lost=false;soon()}};
})();
